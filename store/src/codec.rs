//! Between domain events and stored bytes: stored names and versions, JSON payloads.

use bytes::Bytes;
use keynest_domain::Event;

use crate::port::{NewEvent, Recorded};
use crate::upcast::{self, UPCASTERS};

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum DecodeError {
    /// Written by a newer binary: a fold refuses the command, a projection parks the stream (DESIGN 4).
    #[error("event {name} v{version} is not known to this binary")]
    Unknown { name: String, version: u16 },
    /// The bytes are not what the name and version promise.
    #[error("payload of event {name} v{version} is malformed")]
    Malformed {
        name: String,
        version: u16,
        #[source]
        source: serde_json::Error,
    },
}

/// The stored shape of an event, of the current version.
pub fn encode(event: &Event) -> NewEvent {
    let data =
        serde_json::to_vec(event).expect("events have string keys only and no failing parts");
    NewEvent { name: event.name().into(), version: event.version(), data: Bytes::from(data) }
}

/// The event in its current shape, whatever version it was stored in.
pub fn decode(recorded: &Recorded) -> Result<Event, DecodeError> {
    let (name, version) = (&*recorded.name, recorded.version);
    let unknown = || DecodeError::Unknown { name: name.to_owned(), version };
    let malformed = |source| DecodeError::Malformed { name: name.to_owned(), version, source };
    let (_, current) = Event::catalogue().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    if version == current {
        let mut bytes = serde_json::Deserializer::from_slice(&recorded.data);
        let event = Event::deserialize_payload(name, &mut bytes).ok_or_else(unknown)?;
        let event = event.map_err(malformed)?;
        return bytes.end().map(|()| event).map_err(malformed);
    }
    let old = serde_json::from_slice(&recorded.data).map_err(malformed)?;
    let value = upcast::raise(UPCASTERS, name, version, current, old).ok_or_else(unknown)?;
    Event::deserialize_payload(name, value).ok_or_else(unknown)?.map_err(malformed)
}

#[cfg(test)]
mod tests {
    use keynest_domain::login::LoginUnlocked;
    use keynest_domain::{CommandId, StreamName, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::port::{Metadata, Position, Revision};

    fn stored(name: &str, version: u16, data: &'static str) -> Recorded {
        let command_id = CommandId::new(Uuid::nil());
        Recorded {
            position: Position::START,
            stream: StreamName::new("login", 1),
            revision: Revision::new(1),
            event_id: crate::event_id(command_id, 0),
            name: name.into(),
            version,
            data: Bytes::from_static(data.as_bytes()),
            recorded_at: Timestamp::from_micros(0),
            command_id,
            metadata: Metadata::default(),
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let event = Event::from(LoginUnlocked { user: None, at: Timestamp::from_micros(7) });
        let NewEvent { name, version, data } = encode(&event);
        let recorded = Recorded { data, ..stored(&name, version, "") };
        assert_eq!(decode(&recorded).unwrap(), event);
    }

    #[test]
    fn an_unknown_name_and_a_newer_version_are_unknown() {
        for (name, version) in [("login.teleported", 1), ("login.failed", 99), ("login.failed", 0)]
        {
            let error = decode(&stored(name, version, r#"{"user":null,"at":1}"#)).unwrap_err();
            assert!(matches!(error, DecodeError::Unknown { .. }), "{name} v{version}");
        }
    }

    #[test]
    fn bytes_that_are_not_the_promised_shape_are_malformed() {
        for data in ["", "{", r#"{"user":null}"#, r#"{"user":null,"at":1} {}"#] {
            let error = decode(&stored("login.failed", 1, data)).unwrap_err();
            assert!(matches!(error, DecodeError::Malformed { .. }), "{data}");
        }
    }

    #[test]
    fn every_version_below_the_current_one_has_its_upcaster() {
        for (name, current) in Event::catalogue() {
            for version in 1..current {
                assert!(upcast::has_step(UPCASTERS, name, version), "{name} v{version}");
            }
        }
    }
}
