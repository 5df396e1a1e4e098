//! What turns events into rows, and what it needs to know of an event.

use async_trait::async_trait;
use keynest_crypto::{Context, Keyring, Subject};
use keynest_domain::key::{self, DataKey, KeyDestroyed};
use keynest_domain::{Aggregate, Event, Sealed, Timestamp};
use keynest_store::Recorded;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::error::ApplyError;

/// Which streams a projection reads.
#[derive(Clone, Copy, Debug)]
pub enum Categories {
    /// Every stream of the log.
    All,
    /// Streams whose names begin with one of these, before the dash.
    These(&'static [&'static str]),
}

impl Categories {
    /// Whether streams of this category are read.
    pub(crate) fn include(self, category: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(&category),
        }
    }
}

/// A projector: events in log order to rows of its own tables. It can be dropped and replayed at any
/// time: no effect, no clock, no reading of tables that are not its own; the keyring is the one
/// outside read (DESIGN 5).
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name in checkpoints, commands and metrics.
    fn name(&self) -> &'static str;

    /// Rises when the same events give other rows; the tables are then built anew.
    fn version(&self) -> i32 {
        1
    }

    /// Its tables, in the order in which they are locked for a swap.
    fn tables(&self) -> &'static [&'static str];

    /// The streams that it reads. A name or version in them that this binary does not know parks the stream.
    fn categories(&self) -> Categories;

    /// Of known events in its streams, those that change its rows.
    fn wants(&self, _event: &str) -> bool {
        true
    }

    /// Writes the rows, within the transaction that moves the checkpoint.
    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError>;

    /// A key is destroyed: nulls every column that was opened under it, as a replay will. Told to every projection,
    /// whatever it reads, in the order of the log.
    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError>;
}

/// An event as projections see it.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Where and when it was recorded, and for whom.
    pub recorded: Recorded,
    /// What happened, in its current shape.
    pub event: Event,
}

impl Applied {
    /// When it was recorded, for a column.
    pub fn at(&self) -> OffsetDateTime {
        self.recorded.recorded_at.into()
    }

    /// Opens a field of this event; `None` once its key is destroyed.
    pub async fn open(
        &self,
        keyring: &Keyring,
        subject: Subject,
        field: &'static str,
        sealed: &Sealed,
    ) -> Result<Option<String>, ApplyError> {
        let stream = self.recorded.stream.clone();
        let context = Context::new(subject, stream, self.event.name(), field);
        crate::opening::open_text(keyring, &context, sealed).await
    }

    /// Opens a field that may be absent.
    pub async fn open_optional(
        &self,
        keyring: &Keyring,
        subject: Subject,
        field: &'static str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<String>, ApplyError> {
        match sealed {
            None => Ok(None),
            Some(sealed) => self.open(keyring, subject, field, sealed).await,
        }
    }

    /// The key that this event destroys.
    pub(crate) fn destroyed_key(&self) -> Option<&KeyDestroyed> {
        match &self.event {
            Event::Key(key::Event::KeyDestroyed(it)) => Some(it),
            Event::User(_)
            | Event::Session(_)
            | Event::Login(_)
            | Event::Federation(_)
            | Event::Challenge(_)
            | Event::Organization(_)
            | Event::Project(_)
            | Event::Environment(_)
            | Event::Access(_)
            | Event::Refusals(_)
            | Event::Limits(_)
            | Event::Provider(_)
            | Event::Exchange(_) => None,
        }
    }

    /// The number in the name of this event's stream.
    pub fn stream_number(&self) -> Result<i64, ApplyError> {
        let id = self.recorded.stream.id();
        id.parse().map_err(|_| ApplyError::failing("the stream's name has no number"))
    }
}

/// Whether a projection has to look at an event: it reads the stream, and it wants the event or does
/// not know it. Destroyed keys are everybody's business.
pub(crate) fn takes(projection: &dyn Projection, recorded: &Recorded) -> bool {
    if recorded.stream.category() == DataKey::CATEGORY {
        return true;
    }
    let is_known = || Event::catalogue().any(|(name, _)| name == &*recorded.name);
    projection.categories().include(recorded.stream.category())
        && (projection.wants(&recorded.name) || !is_known())
}

/// A point in time for a column.
pub(crate) fn column(at: Timestamp) -> OffsetDateTime {
    at.into()
}
