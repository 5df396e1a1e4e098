//! The event feed that reactors follow: one port with two carriers, the event store itself and NATS JetStream (DESIGN 7).

use keynest_store::{EventStore, Incarnation, Position, ReadError, Recorded, Subscription};

use crate::nats::{self, JetStream};

/// Where events come from.
#[derive(Clone)]
pub enum Feed {
    /// The store's own subscription: gapless and in commit order.
    Store(EventStore),
    /// NATS JetStream tells of events, and the store is read.
    JetStream(EventStore, Box<JetStream>),
}

/// Following the feed from one place on.
pub(crate) enum Following {
    /// See [`Feed::Store`].
    Store(Subscription),
    /// See [`Feed::JetStream`].
    JetStream(Box<nats::Following>),
}

impl Feed {
    /// Everything after a position, then live.
    pub(crate) fn follow(&self, durable: &'static str, after: Position) -> Following {
        match self {
            Self::Store(store) => Following::Store(store.subscribe(after)),
            Self::JetStream(store, nats) => Following::JetStream(Box::new(nats::Following::new(
                nats.as_ref().clone(),
                store.clone(),
                durable,
                after,
            ))),
        }
    }

    /// The truth, whatever carries the word.
    fn store(&self) -> &EventStore {
        match self {
            Self::Store(store) | Self::JetStream(store, _) => store,
        }
    }

    /// The last position of the log.
    pub async fn head(&self) -> Result<Position, ReadError> {
        self.store().head().await
    }

    /// How many events the log has behind a position.
    pub async fn behind(&self, after: Position) -> Result<u64, ReadError> {
        let store = self.store();
        store.count_between(after, store.head().await?).await
    }

    /// Which life of the log this is.
    pub fn incarnation(&self) -> Incarnation {
        self.store().incarnation()
    }

    /// The store's copy of one event (THREATS A48: carriers are not believed).
    pub async fn event_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        self.store().read_at(position).await
    }

    /// What stands after a position right now, without waiting.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        self.store().read_all(after, limit).await
    }
}

impl Following {
    /// At least one event, at most `limit`, in order.
    pub async fn next_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Store(subscription) => subscription.next_batch(limit).await,
            Self::JetStream(following) => following.next_batch(limit).await,
        }
    }

    /// Everything up to here is in the checkpoint; the carrier need not keep it for this consumer.
    pub fn settled(&self, until: Position) {
        match self {
            Self::Store(_) => {}
            Self::JetStream(following) => following.settled(until),
        }
    }
}
