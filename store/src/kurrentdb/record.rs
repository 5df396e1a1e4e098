//! Between events of the log and records of the protocol: the payload as it is, the rest as properties.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keynest_domain::{
    CommandId, EventId, OrganizationId, RequestId, Sealed, SessionId, StreamName, Timestamp, UserId,
};
use keynest_eventstore_protocol::event_store::client::streams::read_resp::read_event::RecordedEvent;
use keynest_eventstore_protocol::event_store::client::uuid::Value as IdValue;
use keynest_eventstore_protocol::v2::{AppendRecord, SchemaFormat, SchemaInfo};
use prost_types::Value;
use prost_types::value::Kind;
use serde::de::IgnoredAny;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::names::Names;
use crate::port::*;

/// Places within one append that a position has room for: more than an append has events.
const INDEXES: u64 = 2_048;
const _: () = assert!(APPEND_EVENTS_MAX < 2_048);
/// Ticks of the protocol in a microsecond.
const TICKS: i64 = 10;

/// An event on the wire that is not what it should be: another program's, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("event {revision} of {stream} is none of this log's: {what} is missing or malformed")]
pub(super) struct Foreign {
    stream: String,
    revision: u64,
    what: &'static str,
}

/// Positions there are places in a file, and the events of one append may share one. A position here is that place and the
/// index in the append: ordered as the log is, whether or not they do, and never dense.
pub(super) fn position(commit: u64, index: u32) -> Position {
    Position::from_stored(commit.saturating_mul(INDEXES).saturating_add(u64::from(index)))
}

/// The place in the file.
pub(super) fn commit_of(position: Position) -> u64 {
    position.to_stored() / INDEXES
}

/// The index in the append.
pub(super) fn index_of(position: Position) -> u64 {
    position.to_stored() % INDEXES
}

/// An event as it is sent.
pub(super) fn record(
    names: &Names,
    append: &Append,
    stream: &StreamName,
    (index, event): (u32, &NewEvent),
) -> AppendRecord {
    let metadata = &append.metadata;
    let name = names.stream(stream);
    let is_digested = names.plain(&name).is_none();
    let properties = [
        ("command", Some(append.command_id.to_string())),
        ("index", Some(index.to_string())),
        ("version", Some(event.version.to_string())),
        ("stream", is_digested.then(|| stream.as_str().to_owned())),
        ("actor", metadata.actor.map(|it| it.get().to_string())),
        ("organization", metadata.organization.map(|it| it.get().to_string())),
        ("session", metadata.session.map(|it| it.get().to_string())),
        ("request", metadata.request.map(|it| it.get().to_string())),
        ("$causationId", metadata.causation.map(|it| it.get().to_string())),
        ("$correlationId", metadata.correlation.map(|it| it.to_string())),
        ("client", metadata.client.as_ref().map(|it| STANDARD.encode(it.as_bytes()))),
    ];
    let told = properties.into_iter().filter_map(|(name, value)| {
        let kind = Some(Kind::StringValue(value?));
        Some((name.to_owned(), Value { kind }))
    });
    let is_json = serde_json::from_slice::<IgnoredAny>(&event.data).is_ok();
    let format = if is_json { SchemaFormat::Json } else { SchemaFormat::Bytes };
    AppendRecord {
        record_id: Some(crate::event_id(append.command_id, index).get().to_string()),
        properties: told.collect(),
        schema: Some(SchemaInfo { format: format.into(), name: event.name.to_string(), id: None }),
        data: event.data.clone(),
        stream: name,
    }
}

/// A record of this backend's own book-keeping.
pub(super) fn note(
    stream: String,
    id: Uuid,
    kind: &str,
    data: &impl serde::Serialize,
) -> AppendRecord {
    let data = serde_json::to_vec(data).expect("notes have string keys only and no failing parts");
    AppendRecord {
        record_id: Some(id.to_string()),
        properties: HashMap::new(),
        schema: Some(SchemaInfo {
            format: SchemaFormat::Json.into(),
            name: kind.to_owned(),
            id: None,
        }),
        data: data.into(),
        stream,
    }
}

pub(super) fn id_of(event: &RecordedEvent) -> Option<Uuid> {
    match event.id.as_ref()?.value.as_ref()? {
        IdValue::String(text) => text.parse().ok(),
        IdValue::Structured(halves) => Some(Uuid::from_u64_pair(
            halves.most_significant_bits.cast_unsigned(),
            halves.least_significant_bits.cast_unsigned(),
        )),
    }
}

pub(super) fn stream_of(event: &RecordedEvent) -> &str {
    let name = event.stream_identifier.as_ref().map(|it| &it.stream_name[..]);
    std::str::from_utf8(name.unwrap_or_default()).unwrap_or_default()
}

pub(super) fn type_of(event: &RecordedEvent) -> &str {
    event.metadata.get("type").map(String::as_str).unwrap_or_default()
}

/// The revision of the event as it is counted here.
pub(super) fn revision_of(event: &RecordedEvent) -> Revision {
    Revision::new(u32::try_from(event.stream_revision.saturating_add(1)).unwrap_or(u32::MAX))
}

/// The event of the log that was read.
pub(super) fn recorded(names: &Names, event: RecordedEvent) -> Result<Recorded, Foreign> {
    let foreign = |what| Foreign {
        stream: stream_of(&event).to_owned(),
        revision: event.stream_revision,
        what,
    };
    let told: Map<String, Json> =
        serde_json::from_slice(&event.custom_metadata).map_err(|_| foreign("its metadata"))?;
    let told = Properties(&told);
    let index: u32 = told.needed("index").map_err(foreign)?;
    let ticks: i64 = event
        .metadata
        .get("created")
        .and_then(|ticks| ticks.parse().ok())
        .ok_or_else(|| foreign("its time"))?;
    let stream = match names.plain(stream_of(&event)) {
        Some(stream) => stream,
        None => StreamName::from_stored(told.needed("stream").map_err(foreign)?),
    };
    Ok(Recorded {
        position: position(event.commit_position, index),
        stream,
        revision: revision_of(&event),
        event_id: EventId::new(id_of(&event).ok_or_else(|| foreign("its id"))?),
        name: Arc::from(type_of(&event)),
        version: told.needed("version").map_err(foreign)?,
        recorded_at: Timestamp::from_micros(ticks.div_euclid(TICKS)),
        command_id: CommandId::new(told.needed("command").map_err(foreign)?),
        metadata: told.metadata().map_err(foreign)?,
        data: event.data,
    })
}

struct Properties<'a>(&'a Map<String, Json>);

impl Properties<'_> {
    fn needed<T: FromStr>(&self, name: &'static str) -> Result<T, &'static str> {
        self.told(name)?.ok_or(name)
    }

    fn told<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, &'static str> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or(name)
    }

    fn metadata(&self) -> Result<Metadata, &'static str> {
        let client = self.told::<String>("client")?;
        let sealed = |text: String| STANDARD.decode(text).map(Sealed::from_bytes);
        Ok(Metadata {
            actor: self.told("actor")?.map(UserId::new),
            organization: self.told("organization")?.map(OrganizationId::new),
            session: self.told("session")?.map(SessionId::new),
            request: self.told("request")?.map(RequestId::new),
            causation: self.told("$causationId")?.map(EventId::new),
            correlation: self.told("$correlationId")?,
            client: client.map(sealed).transpose().map_err(|_| "client")?,
        })
    }
}
