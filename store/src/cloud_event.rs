//! An event as others are told of it: CloudEvents 1.0, JSON format, in its current shape. What is sealed is null, and so is
//! whatever `docs/events.schema.json` does not call clear: a field that nobody has thought about is not told.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use keynest_domain::Event;
use serde_json::{Map, Value, json};

use crate::codec::{DecodeError, decode};
use crate::port::Recorded;

/// Written by `KEYNEST_UPDATE_DOCS=1 cargo test -p keynest-store event_schemas`, from the code.
const SCHEMA: &str = include_str!("../../docs/events.schema.json");
/// How the schema marks a field that is not told.
const WITHHELD: &str = "x-keynest-withheld";

/// The fields of the current version of each event that may be told.
static CLEAR: LazyLock<HashMap<String, HashSet<String>>> = LazyLock::new(clear_fields);

fn clear_fields() -> HashMap<String, HashSet<String>> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let fields = |(name, version): (&str, u16)| {
        let shape = &schema["$defs"][format!("{name}.v{version}")]["properties"];
        let members = shape.as_object().into_iter().flatten();
        let clear = members.filter(|(_, it)| it.get(WITHHELD).is_none());
        (name.to_owned(), clear.map(|(field, _)| field.clone()).collect())
    };
    Event::catalogue().map(fields).collect()
}

/// The members of a payload that the feed answers as null, of the ones that it has.
pub fn withheld_fields<'a>(name: &str, data: &'a Map<String, Value>) -> Vec<&'a str> {
    let clear = CLEAR.get(name);
    let is_told = |field: &str| clear.is_some_and(|clear| clear.contains(field));
    data.keys().map(String::as_str).filter(|field| !is_told(field)).collect()
}

/// The event with `source` as whose log it is in, and `position` as its place in there, as the reader may know it.
pub fn cloud_event(
    recorded: &Recorded,
    source: &str,
    position: impl Into<Value>,
) -> Result<Value, DecodeError> {
    let event = decode(recorded)?;
    let data = serde_json::to_value(&event).map_err(|source| DecodeError::Malformed {
        name: recorded.name.to_string(),
        version: recorded.version,
        source,
    })?;
    let Value::Object(mut data) = data else { return Ok(Value::Null) };
    let hidden: Vec<String> =
        withheld_fields(event.name(), &data).into_iter().map(str::to_owned).collect();
    for field in hidden {
        data.insert(field, Value::Null);
    }
    let metadata = &recorded.metadata;
    let mut told = json!({
        "specversion": "1.0",
        "id": recorded.event_id.to_string(),
        "source": source,
        "type": event.name(),
        "subject": recorded.stream.as_str(),
        "time": recorded.recorded_at.iso(),
        "datacontenttype": "application/json",
        "version": event.version(),
        "position": position.into(),
        "stream": recorded.stream.as_str(),
        "revision": recorded.revision.get(),
    });
    let known = [
        ("organization", metadata.organization.map(|it| Value::from(it.to_string()))),
        ("actor", metadata.actor.map(|it| Value::from(it.to_string()))),
        ("causation", metadata.causation.map(|it| Value::from(it.to_string()))),
        ("correlation", metadata.correlation.map(|it| Value::from(it.to_string()))),
    ];
    if let Value::Object(members) = &mut told {
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        members.extend(known);
        members.insert("data".to_owned(), Value::Object(data));
    }
    Ok(told)
}
