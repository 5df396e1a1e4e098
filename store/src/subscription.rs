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
}

impl Subscription {
    pub(crate) fn new(store: EventStore, after: Position, head: watch::Receiver<Position>) -> Self {
        Self { store, after, head }
    }

    /// The next events, at least one and at most `limit`, without a gap; waits until there are any.
    /// After an error the place is kept: call again, after a pause of the caller's choice.
    /// Dropping the future loses nothing.
    pub async fn next_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        loop {
            let batch = self.store.read_all(self.after, limit.max(1)).await?;
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

    /// The position of the last event that was handed out, or where the subscription began.
    pub fn position(&self) -> Position {
        self.after
    }
}
