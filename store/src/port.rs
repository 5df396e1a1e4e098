//! What callers say to an event store and what they hear back.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use keynest_domain::{
    CommandId, EventId, OrganizationId, RequestId, Sealed, SessionId, StreamName, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::format::FormatLevel;

/// Longest stream name, in bytes.
pub const STREAM_NAME_BYTES_MAX: usize = 200;
/// Longest claim key, in bytes.
pub const CLAIM_KEY_BYTES_MAX: usize = 200;
/// Longest stored name of an event, in bytes.
pub const EVENT_NAME_BYTES_MAX: usize = 100;
/// Most checks, claims and releases in one append, each.
pub const APPEND_CONDITIONS_MAX: usize = 1_100;
/// How the names begin that nobody gives back: the numbers of variables.
pub(crate) const CLAIMS_KEPT: &str = "variable:";
/// Longest sealed client, in bytes.
pub const CLIENT_BYTES_MAX: usize = 4 * 1024;
/// Most events in one answer of `read_all`.
pub const READ_EVENTS_MAX: usize = 10_000;
/// Payload bytes after which an answer of `read_all` is cut short.
pub const READ_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest payload of one event, in bytes (DESIGN 11).
pub const EVENT_BYTES_MAX: usize = 256 * 1024;
/// Most events in one append (DESIGN 4).
pub const APPEND_EVENTS_MAX: usize = 1_100;
/// Most payload bytes in one append (DESIGN 4).
pub const APPEND_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most events in one append through the protocol of KurrentDB: the largest append, with its claims and its releases.
pub const PROTOCOL_EVENTS_MAX: usize = 8 * 1_024;
/// Largest event with its envelope there, in bytes.
pub const PROTOCOL_EVENT_BYTES_MAX: usize = EVENT_BYTES_MAX + 64 * 1024;
/// Most bytes in one append there.
pub const PROTOCOL_BYTES_MAX: usize = APPEND_BYTES_MAX + 4 * 1024 * 1024;

/// A place in the whole log. Opaque: ordered and serialisable, no arithmetic outside this crate.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

/// A place in one stream: the number of its events up to there. Zero: the stream does not exist.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(u32);

/// A life of the log, new after a restore; positions of different lives do not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(Uuid);

/// What a stream must look like for an append to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this revision; zero for a stream that must not exist.
    Exact(Revision),
    /// Whatever it is, for streams that no rule reads.
    Any,
}

/// An event on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Stored name.
    pub name: Arc<str>,
    /// Version of the stored shape.
    pub version: u16,
    /// The payload; JSON.
    pub data: Bytes,
}

/// One stream's part of an append.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamAppend {
    /// The stream; at most once in an append.
    pub stream: StreamName,
    /// What it must look like.
    pub expected: Expected,
    /// At least one event.
    pub events: Vec<NewEvent>,
}

/// A name that one stream holds exclusively, such as `email:<digest>`. Never personal data in clear.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey(String);

/// Who, where and why, the same for all events of an append.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Who caused it; `None` for the product itself and for anonymous callers.
    pub actor: Option<UserId>,
    /// The organization that it belongs to in the audit log.
    pub organization: Option<OrganizationId>,
    /// The session that it came through.
    pub session: Option<SessionId>,
    /// The request or run.
    pub request: Option<RequestId>,
    /// The event that caused it, if a reactor did.
    pub causation: Option<EventId>,
    /// One id from the request to the mail.
    pub correlation: Option<Uuid>,
    /// Client address and agent, sealed.
    pub client: Option<Sealed>,
}

/// One atomic unit: all of it or nothing. Releases are done before claims are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Repeating it answers the original result and appends nothing.
    pub command_id: CommandId,
    /// Streams written.
    pub streams: Vec<StreamAppend>,
    /// Streams that must be at these revisions before anything here is written; each at most once.
    pub checks: Vec<(StreamName, Revision)>,
    /// Names to take for a stream that is written or checked to exist here. Each must be free, also of that stream.
    pub claims: Vec<(ClaimKey, StreamName)>,
    /// Names to give back; absent ones are ignored.
    pub releases: Vec<ClaimKey>,
    /// The same for all events.
    pub metadata: Metadata,
}

/// What an append did, now or when its command id was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Position of the first event.
    pub first: Position,
    /// Position of the last event.
    pub position: Position,
    /// Whether the command id had been seen before. Also true when the store sent this very append twice
    /// because the connection broke before the answer.
    pub is_repeat: bool,
}

/// An event as it stands in the log. Its bytes never change.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Recorded {
    pub position: Position,
    pub stream: StreamName,
    pub revision: Revision,
    /// Derived from command id and index in the append.
    pub event_id: EventId,
    pub name: Arc<str>,
    pub version: u16,
    pub data: Bytes,
    /// Never earlier than that of any lower position.
    pub recorded_at: Timestamp,
    pub command_id: CommandId,
    pub metadata: Metadata,
}

/// Which expectation did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum Conflict {
    /// A written stream or a checked one is at another revision.
    #[error("stream {stream} is at revision {actual}, not {expected}")]
    Revision { stream: StreamName, expected: Revision, actual: Revision },
    /// A claim is held.
    #[error("claim is held by {holder}")]
    Claim { key: ClaimKey, holder: StreamName },
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// An expectation did not hold; read again and decide again.
    #[error("append conflicts")]
    Conflict(#[from] Conflict),
    /// Refused before it was queued: a size, a count, an empty part, a NUL, a stream named twice.
    #[error("append is malformed: {0}")]
    Malformed(String),
    /// Older binaries that are at work could not read it; nothing was written. `keynest migrate --finish` raises the level.
    #[error(
        "{name} v{version} may be written from format level {needed} on, the log is at {level}"
    )]
    #[expect(missing_docs, reason = "fields are named after what they hold")]
    LevelTooLow { name: String, version: u16, needed: FormatLevel, level: FormatLevel },
    /// The queue is full; nothing was written.
    #[error("append queue is full")]
    Busy,
    /// The store cannot be reached or answered nonsense; whether it was written is unknown, the same command id is safe.
    #[error("append to the event store")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store cannot be reached or answered nonsense.
    #[error("read from the event store")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// For backends, checkpoints and tokens: the number as it is stored.
    pub const fn from_stored(position: u64) -> Self {
        Self(position)
    }

    /// For backends, checkpoints and tokens: the number as it is stored.
    pub const fn to_stored(self) -> u64 {
        self.0
    }
}

impl Revision {
    /// The stream does not exist.
    pub const NONE: Self = Self(0);

    /// A count of events.
    pub const fn new(events: u32) -> Self {
        Self(events)
    }

    /// The count of events.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// After so many more events.
    #[must_use]
    pub const fn plus(self, events: u32) -> Self {
        Self(self.0.saturating_add(events))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Incarnation {
    /// As stored.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// As stored.
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl ClaimKey {
    /// A kind and what is claimed, such as `email` and a digest.
    pub fn new(kind: &str, what: impl fmt::Display) -> Self {
        Self(format!("{kind}:{what}"))
    }

    /// As stored.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
