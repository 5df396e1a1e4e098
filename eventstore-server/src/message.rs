//! Between the protocol's messages and ours.

use std::collections::HashMap;

use keynest_domain::Timestamp;
use keynest_store::Position;
use prost_types::Timestamp as WireTime;
use tonic::Status;
use uuid::Uuid;

use crate::envelope::{Event, JSON, Proposed};
use crate::names::identifier;
use crate::proto::event_store::client::streams::read_resp::ReadEvent;
use crate::proto::event_store::client::streams::read_resp::read_event::{
    Position as ReadPosition, RecordedEvent,
};
use crate::proto::event_store::client::uuid::{Structured, Value};
use crate::proto::event_store::client::{AllStreamPosition, Uuid as WireId};

/// What the protocol says for a type of bytes that is not JSON.
const OCTETS: &str = "application/octet-stream";

/// How a client wants to read ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdForm {
    Text,
    Structured,
}

pub(crate) fn id(id: Uuid, form: IdForm) -> Option<WireId> {
    let value = match form {
        IdForm::Text => Value::String(id.to_string()),
        IdForm::Structured => {
            let (most, least) = id.as_u64_pair();
            Value::Structured(Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            })
        }
    };
    Some(WireId { value: Some(value) })
}

pub(crate) fn read_id(id: Option<WireId>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.value) {
        Some(Value::String(text)) => {
            text.parse().map_err(|_| Status::invalid_argument("event id is not a UUID"))
        }
        Some(Value::Structured(halves)) => Ok(Uuid::from_u64_pair(
            halves.most_significant_bits.cast_unsigned(),
            halves.least_significant_bits.cast_unsigned(),
        )),
        None => Err(Status::invalid_argument("event has no id")),
    }
}

pub(crate) fn proposed(
    id: Option<WireId>,
    mut system: HashMap<String, String>,
    metadata: bytes::Bytes,
    data: bytes::Bytes,
) -> Result<Proposed, Status> {
    let missing = || Status::invalid_argument("event has no type");
    let kind = system.remove("type").filter(|it| !it.is_empty()).ok_or_else(missing)?;
    let is_json = system.get("content-type").is_some_and(|it| it == JSON);
    let content_type = if is_json { JSON } else { OCTETS }.to_owned();
    Ok(Proposed { id: read_id(id)?, kind, content_type, metadata, data })
}

pub(crate) fn recorded(event: Event, form: IdForm) -> RecordedEvent {
    let position = event.position.to_stored();
    RecordedEvent {
        id: id(event.id, form),
        stream_identifier: identifier(&event.stream),
        stream_revision: event.revision,
        prepare_position: position,
        commit_position: position,
        metadata: event.system_metadata(),
        custom_metadata: event.metadata,
        data: event.data,
    }
}

/// An event, or what a link points to and the link.
pub(crate) fn read_event(event: Option<Event>, link: Option<Event>, form: IdForm) -> ReadEvent {
    let place = link.as_ref().or(event.as_ref()).map_or(Position::START, |it| it.position);
    ReadEvent {
        event: event.map(|it| recorded(it, form)),
        link: link.map(|it| recorded(it, form)),
        position: Some(ReadPosition::CommitPosition(place.to_stored())),
    }
}

pub(crate) fn all_position(position: Position) -> AllStreamPosition {
    let position = position.to_stored();
    AllStreamPosition { commit_position: position, prepare_position: position }
}

pub(crate) fn time(at: Timestamp) -> WireTime {
    let nanos = at.micros().rem_euclid(1_000_000) * 1_000;
    WireTime { seconds: at.seconds(), nanos: i32::try_from(nanos).unwrap_or(0) }
}
