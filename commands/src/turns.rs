//! Commands of one process that have met on a stream take turns, so that a crowd writing to one stream loses one try
//! each and not all of them. Who comes while others wait waits behind them: it would win against each of them, knowing the
//! newest state. Commands that meet nobody never wait; other processes are met as conflicts, as ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use keynest_domain::StreamName;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// Streams looked through for ones that nobody waits for any more, whenever there are this many.
const STREAMS_SWEPT_AT: usize = 1_024;

/// A command's turn on a stream; the next one begins when it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedMutexGuard<()>);

/// Who waits for which stream. First come, first served.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<StreamName, Weak<Queue<()>>>>);

impl Turns {
    /// Waits until everybody who came earlier is done with the stream.
    pub async fn take(&self, stream: &StreamName) -> Turn {
        Turn(self.queue(stream).lock_owned().await)
    }

    /// Whether somebody has a turn on the stream.
    pub fn is_taken(&self, stream: &StreamName) -> bool {
        let queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.get(stream).is_some_and(|queue| queue.strong_count() > 0)
    }

    fn queue(&self, stream: &StreamName) -> Arc<Queue<()>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(stream).and_then(Weak::upgrade) {
            return queue;
        }
        if queues.len() >= STREAMS_SWEPT_AT {
            queues.retain(|_, queue| queue.strong_count() > 0);
        }
        let queue = Arc::new(Queue::new(()));
        queues.insert(stream.clone(), Arc::downgrade(&queue));
        queue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_on_one_stream_is_waited_for_and_others_are_free() {
        let turns = Turns::default();
        let stream = StreamName::new("project", 1);
        let turn = turns.take(&stream).await;
        assert!(turns.queue(&stream).try_lock().is_err());
        assert!(turns.is_taken(&stream) && !turns.is_taken(&StreamName::new("project", 2)));
        assert!(turns.queue(&StreamName::new("project", 2)).try_lock().is_ok());
        drop(turn);
        assert!(turns.queue(&stream).try_lock().is_ok());
        assert!(!turns.is_taken(&stream));
    }

    #[tokio::test]
    async fn streams_that_nobody_waits_for_are_forgotten() {
        let turns = Turns::default();
        for id in 0..STREAMS_SWEPT_AT * 3 {
            drop(turns.take(&StreamName::new("project", id)).await);
        }
        assert!(turns.0.lock().unwrap().len() <= STREAMS_SWEPT_AT);
    }
}
