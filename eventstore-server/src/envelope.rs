//! Between the log's events and the protocol's: KeyNest's own as they are, clients' ones in an envelope.

use std::collections::HashMap;

use bytes::Bytes;
use keynest_domain::Timestamp;
use keynest_store::{NewEvent, Position, Recorded};
use prost::Message;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::names::original_of;

/// Stored name of what a client appended.
const CLIENT_EVENT: &str = "client.event";
/// Stored name of a stream's end, in its stream of settings.
const CLIENT_TOMBSTONE: &str = "client.tombstone";
/// Of both.
const ENVELOPE_VERSION: u16 = 1;
/// The revision and type that the protocol gives to the end of a stream.
pub(crate) const REVISION_MAX: u64 = i64::MAX as u64;
const TOMBSTONE_TYPE: &str = "$streamDeleted";
/// The only content type that the protocol names; everything else is octets.
pub(crate) const JSON: &str = "application/json";

/// What a client proposes.
#[derive(Clone, Debug)]
pub(crate) struct Proposed {
    pub id: Uuid,
    pub kind: String,
    pub content_type: String,
    pub metadata: Bytes,
    pub data: Bytes,
}

/// An event as the protocol tells it. Revisions count from zero there.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub id: Uuid,
    pub stream: String,
    pub revision: u64,
    pub position: Position,
    pub kind: String,
    pub content_type: String,
    pub metadata: Bytes,
    pub data: Bytes,
    pub created: Timestamp,
}

/// What the log has no field for, kept in its payload. Field numbers are stored; they never change.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(string, tag = "2")]
    kind: String,
    #[prost(string, tag = "3")]
    content_type: String,
    #[prost(bytes = "bytes", tag = "4")]
    metadata: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    data: Bytes,
}

impl Proposed {
    /// As it is stored.
    pub(crate) fn seal(&self) -> NewEvent {
        let envelope = Envelope {
            id: Bytes::copy_from_slice(self.id.as_bytes()),
            kind: self.kind.clone(),
            content_type: self.content_type.clone(),
            metadata: self.metadata.clone(),
            data: self.data.clone(),
        };
        let data = Bytes::from(envelope.encode_to_vec());
        NewEvent { name: CLIENT_EVENT.into(), version: ENVELOPE_VERSION, data }
    }
}

/// The end of a stream, as it is stored.
pub(crate) fn tombstone() -> NewEvent {
    NewEvent { name: CLIENT_TOMBSTONE.into(), version: ENVELOPE_VERSION, data: Bytes::new() }
}

pub(crate) fn is_tombstone(recorded: &Recorded) -> bool {
    &*recorded.name == CLIENT_TOMBSTONE
}

impl From<Recorded> for Event {
    fn from(recorded: Recorded) -> Self {
        let native = |recorded: Recorded| Self {
            id: recorded.event_id.get(),
            stream: recorded.stream.as_str().to_owned(),
            revision: u64::from(recorded.revision.get()).saturating_sub(1),
            position: recorded.position,
            kind: recorded.name.to_string(),
            content_type: JSON.to_owned(),
            metadata: metadata_of(&recorded),
            data: recorded.data,
            created: recorded.recorded_at,
        };
        match &*recorded.name {
            CLIENT_EVENT => match opened(&recorded) {
                Some((id, envelope)) => Self {
                    id,
                    kind: envelope.kind,
                    content_type: envelope.content_type,
                    metadata: envelope.metadata,
                    data: envelope.data,
                    ..native(recorded)
                },
                None => native(recorded),
            },
            CLIENT_TOMBSTONE => Self {
                stream: original_of(recorded.stream.as_str()).to_owned(),
                revision: REVISION_MAX,
                kind: TOMBSTONE_TYPE.to_owned(),
                metadata: Bytes::new(),
                ..native(recorded)
            },
            _ => native(recorded),
        }
    }
}

fn opened(recorded: &Recorded) -> Option<(Uuid, Envelope)> {
    let envelope = Envelope::decode(recorded.data.clone()).ok()?;
    Some((Uuid::from_slice(&envelope.id).ok()?, envelope))
}

/// What the log knows of an event of KeyNest's, under the names that the protocol has for two of them.
fn metadata_of(recorded: &Recorded) -> Bytes {
    let metadata = &recorded.metadata;
    let told = [
        ("$causationId", metadata.causation.map(|it| it.to_string())),
        ("$correlationId", metadata.correlation.map(|it| it.to_string())),
        ("actor", metadata.actor.map(|it| it.to_string())),
        ("organization", metadata.organization.map(|it| it.to_string())),
    ];
    let mut members = json!({ "version": recorded.version });
    for (name, value) in told {
        if let Some(value) = value {
            members[name] = Value::from(value);
        }
    }
    Bytes::from(members.to_string())
}

impl Event {
    /// The protocol's own metadata: type, content type and time, in ticks of 100 ns since 1970.
    pub(crate) fn system_metadata(&self) -> HashMap<String, String> {
        HashMap::from([
            ("type".to_owned(), self.kind.clone()),
            ("content-type".to_owned(), self.content_type.clone()),
            ("created".to_owned(), (self.created.micros() * 10).to_string()),
        ])
    }
}
