//! The event feed that reactors follow: one port, so far one carrier, the event store itself (DESIGN 7).

use keynest_store::{EventStore, Incarnation, Position, ReadError, Recorded, Subscription};

/// Where events come from. NATS JetStream will be the second carrier.
#[derive(Clone)]
pub enum Feed {
    /// The store's own subscription: gapless and in commit order.
    Store(EventStore),
}

/// Following the feed from one place on.
pub enum Following {
    /// See [`Feed::Store`].
    Store(Subscription),
}

impl Feed {
    /// Everything after a position, then live.
    pub fn follow(&self, after: Position) -> Following {
        match self {
            Self::Store(store) => Following::Store(store.subscribe(after)),
        }
    }

    /// The last position of the log.
    pub async fn head(&self) -> Result<Position, ReadError> {
        match self {
            Self::Store(store) => store.head().await,
        }
    }

    /// How many events the log has behind a position.
    pub async fn behind(&self, after: Position) -> Result<u64, ReadError> {
        match self {
            Self::Store(store) => Ok(store.count_between(after, store.head().await?)),
        }
    }

    /// Which life of the log this is.
    pub fn incarnation(&self) -> Incarnation {
        match self {
            Self::Store(store) => store.incarnation(),
        }
    }

    /// The store's copy of one event (THREATS A48: carriers are not believed).
    pub async fn event_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        match self {
            Self::Store(store) => store.read_at(position).await,
        }
    }

    /// What stands after a position right now, without waiting.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Store(store) => store.read_all(after, limit).await,
        }
    }
}

impl Following {
    /// At least one event, at most `limit`, in order.
    pub async fn next_batch(&mut self, limit: usize) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Store(subscription) => subscription.next_batch(limit).await,
        }
    }
}
