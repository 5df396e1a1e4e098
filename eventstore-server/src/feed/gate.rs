//! Who may read what: asked of whoever serves the feed, so that this crate knows no token and no organization.

use std::net::SocketAddr;

use bytes::Bytes;
use keynest_domain::{StreamName, Timestamp};
use keynest_store::{Position, Revision};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::envelope::{Event, JSON};

/// Lets callers in.
#[tonic::async_trait]
pub trait Gate: Send + Sync + 'static {
    /// A reader for one call, or why there is none.
    async fn admit(&self, call: Call) -> Result<Box<dyn Reader>, Refusal>;
}

/// What a caller came with.
#[derive(Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Call {
    pub headers: http::HeaderMap,
    pub peer: Option<SocketAddr>,
}

/// One call's view of the log. Every method refuses once the caller may not read on.
#[tonic::async_trait]
pub trait Reader: Send + Sync {
    /// The last position of the log up to which everything is before a place.
    async fn before(&self, place: u64) -> Result<Position, Refusal>;
    /// The next events behind a position of the log.
    async fn part(&mut self, after: Position, limit: u32) -> Result<Part, Refusal>;
    /// The last events in front of a position of the log, the latest first.
    async fn part_before(&mut self, before: Position, limit: u32) -> Result<Part, Refusal>;
    /// How many events a stream has, if the caller may know it.
    async fn stream_events(&self, stream: &StreamName) -> Result<Option<u32>, Refusal>;
    /// What of the next events of a stream is the caller's to see, and behind which revision to go on.
    async fn stream_part(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<Told>, Revision), Refusal>;
    /// Waits until there may be something new; false when the server stops.
    async fn wait(&mut self) -> Result<bool, Refusal>;
}

/// Some events.
#[derive(Debug)]
pub struct Part {
    /// At most as many as were asked for.
    pub events: Vec<Told>,
    /// Where to go on in the log. Not told to callers.
    pub until: Position,
    /// There is nothing further now.
    pub is_end: bool,
}

/// An event as its reader may see it. Revisions count from zero.
#[derive(Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Told {
    pub id: Uuid,
    pub stream: String,
    pub revision: u64,
    /// What the reader knows as its position: grows along the log.
    pub place: u64,
    pub kind: String,
    /// JSON, both.
    pub metadata: Bytes,
    pub data: Bytes,
    pub recorded_at: Timestamp,
}

/// Why a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials, or none that are good.
    NotSignedIn(String),
    /// Not for these credentials.
    Denied(String),
    /// Too much at a time.
    Busy(String),
    /// What is needed does not answer.
    Unavailable(String),
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotSignedIn(why) => Self::unauthenticated(why),
            Refusal::Denied(why) => denied(why),
            Refusal::Busy(why) => Self::resource_exhausted(why),
            Refusal::Unavailable(why) => Self::unavailable(why),
        }
    }
}

impl From<Told> for Event {
    fn from(told: Told) -> Self {
        Self {
            id: told.id,
            stream: told.stream,
            revision: told.revision,
            position: Position::from_stored(told.place),
            kind: told.kind,
            content_type: JSON.to_owned(),
            metadata: told.metadata,
            data: told.data,
            created: told.recorded_at,
        }
    }
}

/// As the protocol says it.
pub(super) fn denied(why: String) -> Status {
    let mut status = Status::new(Code::PermissionDenied, why);
    status.metadata_mut().insert("exception", AsciiMetadataValue::from_static("access-denied"));
    status
}
