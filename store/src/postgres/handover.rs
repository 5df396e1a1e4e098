//! Just-committed events, kept for a moment, so that subscribers in this process need not read them back (DESIGN 6).

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::options::StoreOptions;
use crate::port::{Position, Recorded};

/// The last events that this process appended, as the log has them.
#[derive(Debug)]
pub(super) struct Handover {
    recent: Mutex<Recent>,
    events_max: usize,
    bytes_max: usize,
}

/// Positions rise one by one from the front to the back.
#[derive(Debug, Default)]
struct Recent {
    events: VecDeque<Recorded>,
    bytes: usize,
}

impl Handover {
    pub(super) fn new(options: &StoreOptions) -> Self {
        let (events_max, bytes_max) = (options.handover_events, options.handover_bytes);
        Self { recent: Mutex::default(), events_max, bytes_max }
    }

    /// Takes what a batch has committed. The oldest give way; who has not taken them by then reads the log.
    pub(super) fn publish(&self, committed: Vec<Recorded>) {
        let mut recent = self.recent();
        for event in committed {
            let last = recent.events.back().map(|last| last.position.to_stored());
            if last.is_some_and(|last| event.position.to_stored() != last + 1) {
                // Another process has appended in between: what was before that leads nowhere.
                *recent = Recent::default();
            }
            recent.bytes += bytes(&event);
            recent.events.push_back(event);
        }
        while recent.events.len() > self.events_max || recent.bytes > self.bytes_max {
            let Some(oldest) = recent.events.pop_front() else { break };
            recent.bytes -= bytes(&oldest);
        }
    }

    /// The events right behind a position, at most `limit`; none if the first of them is not here.
    pub(super) fn after(&self, position: Position, limit: usize) -> Vec<Recorded> {
        let recent = self.recent();
        let Some(first) = recent.events.front() else { return Vec::new() };
        let skipped = (position.to_stored() + 1).checked_sub(first.position.to_stored());
        let Some(Ok(skipped)) = skipped.map(usize::try_from) else { return Vec::new() };
        recent.events.iter().skip(skipped).take(limit).cloned().collect()
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Roughly what an event takes in memory.
fn bytes(event: &Recorded) -> usize {
    let client = event.metadata.client.as_ref().map_or(0, |client| client.as_bytes().len());
    size_of::<Recorded>() + event.stream.as_str().len() + event.data.len() + client
}
