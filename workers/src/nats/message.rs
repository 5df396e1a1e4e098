//! One event as a message: its subject, and CloudEvents 1.0 in binary mode.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use keynest_domain::EventId;
use keynest_store::{Incarnation, Position, Recorded};
use uuid::Uuid;

/// Everything that the relay writes: `keynest.events.<organization>.<stream>.<type>`.
pub(super) const SUBJECTS: &str = "keynest.events.>";
const SUBJECT_START: &str = "keynest.events";
/// In the place of an organization where there is none.
const NO_ORGANIZATION: &str = "_";

const ID: &str = "ce-id";
const POSITION: &str = "ce-position";
const PREVIOUS: &str = "ce-previous";
const INCARNATION: &str = "ce-incarnation";

/// Where a message stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub position: Position,
    /// Of the message before it; what lies between the two is not relayed.
    pub previous: Position,
    pub incarnation: Incarnation,
}

impl Mark {
    /// As the headers have it; `None` of a message that no relay of KeyNest wrote.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(|value| value.as_str());
        let position = |name| text(name)?.parse().ok().map(Position::from_stored);
        Some(Self {
            position: position(POSITION)?,
            previous: position(PREVIOUS)?,
            incarnation: Incarnation::new(Uuid::parse_str(text(INCARNATION)?).ok()?),
        })
    }
}

/// The event that a message says it is.
pub(super) fn event_id(headers: &HeaderMap) -> Option<EventId> {
    Uuid::parse_str(headers.get(ID)?.as_str()).ok().map(EventId::new)
}

/// The dots of an event's name divide it, so that `keynest.events.*.*.user.>` is all of users.
pub(super) fn subject(recorded: &Recorded) -> String {
    let organization = recorded.metadata.organization.map(|it| it.to_string());
    let organization = organization.as_deref().unwrap_or(NO_ORGANIZATION);
    let stream = escaped(recorded.stream.as_str());
    let name = escaped_dots(&recorded.name);
    format!("{SUBJECT_START}.{organization}.{stream}.{name}")
}

/// The payload is what is stored: what is sealed there is sealed here. Every header is a CloudEvents attribute.
pub(super) fn message(recorded: &Recorded, mark: Mark, source: &str) -> PublishMessage {
    let metadata = &recorded.metadata;
    let id = recorded.event_id.to_string();
    let mut attributes = vec![
        ("ce-specversion", "1.0".to_owned()),
        (ID, id.clone()),
        ("ce-source", source.to_owned()),
        ("ce-type", escaped_dots(&recorded.name)),
        ("ce-subject", escaped(recorded.stream.as_str())),
        ("ce-time", recorded.recorded_at.iso()),
        ("ce-datacontenttype", "application/json".to_owned()),
        ("ce-version", recorded.version.to_string()),
        ("ce-revision", recorded.revision.to_string()),
        (POSITION, mark.position.to_stored().to_string()),
        (PREVIOUS, mark.previous.to_stored().to_string()),
        (INCARNATION, mark.incarnation.get().to_string()),
    ];
    let known = [
        ("ce-organization", metadata.organization.map(|it| it.to_string())),
        ("ce-actor", metadata.actor.map(|it| it.to_string())),
        ("ce-causation", metadata.causation.map(|it| it.to_string())),
        ("ce-correlation", metadata.correlation.map(|it| it.to_string())),
    ];
    attributes.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let message = PublishMessage::build().payload(recorded.data.clone()).message_id(&id);
    attributes
        .into_iter()
        .fold(message, |message, (name, value)| message.header(name, value.as_str()))
}

fn escaped_dots(name: &str) -> String {
    name.split('.').map(escaped).collect::<Vec<_>>().join(".")
}

/// One token of a subject. Names are letters, digits, `_` and `-` already; anything else would change the subject's shape.
fn escaped(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => token.push(char::from(byte)),
            other => token.push_str(&format!("%{other:02X}")),
        }
    }
    token
}
