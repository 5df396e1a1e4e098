//! One event store, whichever backend carries it.

use keynest_domain::{CommandId, StreamName, Timestamp};
use tokio::sync::watch;

use crate::admission::{PORT, PROTOCOL, admit};
use crate::format::FormatLevel;
use crate::kurrentdb::Kurrent;
use crate::memory::{self, Memory};
use crate::port::*;
use crate::postgres::Postgres;
use crate::subscription::Subscription;
use crate::token_uses::TokenUses;

/// Events of one stream that are fetched at a time.
const STREAM_PAGE: usize = 1_000;

/// Events that are counted at most where they have to be counted.
pub const COUNTED_MAX: u64 = 10_000;

/// The event store. Clones share everything.
#[derive(Clone, Debug)]
pub enum EventStore {
    /// In this process only, for tests.
    Memory(Memory),
    /// In a Postgres database, for any number of processes.
    Postgres(Postgres),
    /// In a KurrentDB cluster, for any number of processes.
    Kurrent(Kurrent),
}

impl EventStore {
    /// An empty log in memory.
    pub fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    /// Where the last uses of tokens are noted, beside the log. Once per process.
    pub fn token_uses(&self) -> TokenUses {
        match self {
            Self::Memory(_) => TokenUses::default(),
            Self::Postgres(postgres) => postgres.token_uses(),
            Self::Kurrent(kurrent) => {
                kurrent.beside().map(Postgres::token_uses).unwrap_or_default()
            }
        }
    }

    /// Writes all of it or nothing, durably, and answers when it is done.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        match self {
            Self::Memory(memory) => {
                memory.append(&admit(append, &PORT)?.append).map_err(AppendError::Conflict)
            }
            Self::Postgres(postgres) => {
                postgres.append(admit(postgres.fit(append).await?, &PORT)?).await
            }
            Self::Kurrent(kurrent) => {
                let append = match kurrent.beside() {
                    Some(beside) => beside.fit(append).await?,
                    None => append,
                };
                kurrent.append(admit(append, &PORT)?).await
            }
        }
    }

    /// The same for what the face was sent: an append of this port's, with what a client needs around it, is still one append.
    #[doc(hidden)]
    pub async fn append_of_protocol(&self, append: Append) -> Result<Appended, AppendError> {
        match self {
            Self::Memory(memory) => {
                memory.append(&admit(append, &PROTOCOL)?.append).map_err(AppendError::Conflict)
            }
            Self::Postgres(postgres) => postgres.append(admit(append, &PROTOCOL)?).await,
            Self::Kurrent(_) => self.append(append).await,
        }
    }

    /// The format level of the log, and the highest that this binary can read, where the log has come further: then
    /// this process is to be replaced.
    pub fn overtaken(&self) -> Option<(FormatLevel, FormatLevel)> {
        match self {
            Self::Memory(_) => None,
            Self::Postgres(postgres) => postgres.overtaken(),
            Self::Kurrent(kurrent) => kurrent.beside().and_then(Postgres::overtaken),
        }
    }

    /// All events of a stream behind a revision, in order; empty for a stream that does not exist.
    pub async fn read_stream(
        &self,
        stream: &StreamName,
        after: Revision,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut events = self.read_stream_page(stream, after, STREAM_PAGE).await?;
        let mut is_full = events.len() == STREAM_PAGE;
        while let (true, Some(last)) = (is_full, events.last()) {
            let page = self.read_stream_page(stream, last.revision, STREAM_PAGE).await?;
            is_full = page.len() == STREAM_PAGE;
            events.extend(page);
        }
        Ok(events)
    }

    /// At most `limit` events of a stream behind a revision, in order.
    pub async fn read_stream_page(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.read_stream(stream, after, limit)),
            Self::Postgres(postgres) => postgres.read_stream(stream, after, limit).await,
            Self::Kurrent(kurrent) => kurrent.read_stream(stream, after, limit).await,
        }
    }

    /// How far a stream has come; zero for one that does not exist.
    pub async fn stream_revision(&self, stream: &StreamName) -> Result<Revision, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.stream_revision(stream)),
            Self::Postgres(postgres) => postgres.stream_revision(stream).await,
            Self::Kurrent(kurrent) => kurrent.stream_revision(stream).await,
        }
    }

    /// Events of all streams behind a position, in order, without a gap. At most `limit`, at most
    /// [`READ_EVENTS_MAX`], and none further once there are [`READ_BYTES_MAX`] bytes: only an empty
    /// answer means the head.
    pub async fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let limit = limit.min(READ_EVENTS_MAX);
        match self {
            Self::Memory(memory) => Ok(memory.read_all(after, limit)),
            Self::Postgres(postgres) => postgres.read_all(after, limit).await,
            Self::Kurrent(kurrent) => kurrent.read_all(after, limit).await,
        }
    }

    /// The stream that holds a claim, and its revision.
    pub async fn resolve(
        &self,
        claim: &ClaimKey,
    ) -> Result<Option<(StreamName, Revision)>, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.resolve(claim)),
            Self::Postgres(postgres) => postgres.resolve(claim).await,
            Self::Kurrent(kurrent) => kurrent.resolve(claim).await,
        }
    }

    /// The names that a stream holds, but for those of variables, which nobody gives back. In order.
    pub async fn claims_of(&self, stream: &StreamName) -> Result<Vec<ClaimKey>, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.claims_of(stream)),
            Self::Postgres(postgres) => postgres.claims_of(stream).await,
            Self::Kurrent(kurrent) => kurrent.claims_of(stream).await,
        }
    }

    /// At most `limit` names that begin like this, whoever holds them. In order.
    pub async fn claims_under(
        &self,
        prefix: &ClaimKey,
        limit: usize,
    ) -> Result<Vec<ClaimKey>, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.claims_under(prefix, limit)),
            Self::Postgres(postgres) => postgres.claims_under(prefix, limit).await,
            Self::Kurrent(kurrent) => kurrent.claims_under(prefix, limit).await,
        }
    }

    /// The position of the last event.
    pub async fn head(&self) -> Result<Position, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.head()),
            Self::Postgres(postgres) => postgres.head().await,
            Self::Kurrent(kurrent) => kurrent.head().await,
        }
    }

    /// What a command did, if it was appended.
    pub async fn lookup(&self, command: CommandId) -> Result<Option<Appended>, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.lookup(command)),
            Self::Postgres(postgres) => postgres.lookup(command).await,
            Self::Kurrent(kurrent) => kurrent.lookup(command).await,
        }
    }

    /// The life of this log.
    pub fn incarnation(&self) -> Incarnation {
        match self {
            Self::Memory(memory) => memory.incarnation(),
            Self::Postgres(postgres) => postgres.incarnation(),
            Self::Kurrent(kurrent) => kurrent.incarnation(),
        }
    }

    /// The time that events are recorded with, to compare a process's clock with.
    pub async fn clock(&self) -> Result<Timestamp, ReadError> {
        match self {
            Self::Memory(_) => Ok(memory::now()),
            Self::Postgres(postgres) => postgres.clock().await,
            Self::Kurrent(kurrent) => kurrent.clock().await,
        }
    }

    /// Events right behind a position that this process has committed a moment ago, at most `limit`, the same as
    /// [`EventStore::read_all`] gives. None where that has to be asked: in memory it costs nothing, and a cluster is read.
    pub(crate) fn handed_over(&self, after: Position, limit: usize) -> Vec<Recorded> {
        match self {
            Self::Memory(_) | Self::Kurrent(_) => Vec::new(),
            Self::Postgres(postgres) => postgres.handed_over(after, limit),
        }
    }

    /// How many events lie behind one position up to another. Where places are not numbered one by one they are counted, as
    /// far as [`COUNTED_MAX`].
    pub async fn count_between(&self, after: Position, until: Position) -> Result<u64, ReadError> {
        match self {
            Self::Memory(_) | Self::Postgres(_) => {
                Ok(until.to_stored().saturating_sub(after.to_stored()))
            }
            Self::Kurrent(kurrent) => kurrent.count_between(after, until).await,
        }
    }

    /// Follows the log behind a position.
    pub fn subscribe(&self, after: Position) -> Subscription {
        Subscription::new(self.clone(), after, self.watch_head())
    }

    /// The head as far as this process has heard of it: never ahead of the log, at most a poll interval behind.
    pub fn watch_head(&self) -> watch::Receiver<Position> {
        match self {
            Self::Memory(memory) => memory.watch_head(),
            Self::Postgres(postgres) => postgres.watch_head(),
            Self::Kurrent(kurrent) => kurrent.watch_head(),
        }
    }
}
