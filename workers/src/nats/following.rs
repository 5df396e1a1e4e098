//! Following the feed over JetStream: told by messages how far the log goes, read from the log.

use std::sync::Arc;

use keynest_store::{EventStore, Position, ReadError, Recorded};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::connect::JetStream;
use super::pull::{Pull, Told};

/// A consumer's place in the feed. Dropping it ends its pull.
pub(crate) struct Following {
    store: EventStore,
    after: Position,
    rounds: u64,
    told: watch::Receiver<Told>,
    settled: watch::Sender<Position>,
    _pull: AbortOnDropHandle<()>,
}

impl Following {
    pub(crate) fn new(
        nats: JetStream,
        store: EventStore,
        durable: &'static str,
        after: Position,
    ) -> Self {
        let (teller, told) = watch::channel(Told::default());
        let (settled, heard) = watch::channel(after);
        let pull = Pull { nats, store: store.clone(), durable, told: teller, settled: heard };
        let pull = AbortOnDropHandle::new(tokio::spawn(pull.run()));
        Self { store, after, rounds: 0, told, settled, _pull: pull }
    }

    /// The next events of the log, at least one. Dropping the future loses nothing.
    pub(crate) async fn next_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        loop {
            let told = *self.told.borrow_and_update();
            if told.until > self.after || told.rounds != self.rounds {
                let batch = self.store.read_all(self.after, limit).await?;
                if let Some(last) = batch.last() {
                    self.after = last.position;
                    return Ok(batch);
                }
                self.rounds = told.rounds;
            }
            let changed = self.told.changed().await;
            changed.map_err(|closed| ReadError::Unavailable(Arc::new(closed)))?;
        }
    }

    /// Everything up to here is in the checkpoint: now JetStream may forget it.
    pub(crate) fn settled(&self, until: Position) {
        self.settled.send_if_modified(|settled| {
            let is_news = until > *settled;
            *settled = until.max(*settled);
            is_news
        });
    }
}
