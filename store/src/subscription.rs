//! Following the log: catch up from a position, then live.

use tokio::sync::watch;

use crate::event_store::EventStore;
use crate::port::{Position, ReadError, Recorded};

/// A reader's place in the log. Dropping it ends the subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    store: EventStore,
    after: Position,
    head: watch::Receiver<Position>,
    /// Whether the log was asked since the subscription began: it may be ahead of what this process has heard.
    has_asked: bool,
    reads: u64,
}

impl Subscription {
    pub(crate) fn new(store: EventStore, after: Position, head: watch::Receiver<Position>) -> Self {
        Self { store, after, head, has_asked: false, reads: 0 }
    }

    /// The next events, at least one and at most `limit`, without a gap; waits until there are any.
    /// After an error the place is kept: call again, after a pause of the caller's choice.
    /// Dropping the future loses nothing.
    ///
    /// What this process has just committed is handed over in memory; the log is read when something is
    /// missing there: another process's events, or more than is kept.
    pub async fn next_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        loop {
            let batch = self.ready_batch(limit.max(1)).await?;
            if let Some(last) = batch.last() {
                self.after = last.position;
                return Ok(batch);
            }
            let after = self.after;
            self.head
                .wait_for(|head| *head > after)
                .await
                .map_err(|closed| ReadError::Unavailable(std::sync::Arc::new(closed)))?;
        }
    }

    async fn ready_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        let batch = self.store.handed_over(self.after, limit);
        if !batch.is_empty() || (self.has_asked && *self.head.borrow() <= self.after) {
            return Ok(batch);
        }
        self.reads += 1;
        let batch = self.store.read_all(self.after, limit).await?;
        self.has_asked = true;
        Ok(batch)
    }

    /// How often the log was read, for who was not handed everything.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// The position of the last event that was handed out, or where the subscription began.
    pub fn position(&self) -> Position {
        self.after
    }
}
