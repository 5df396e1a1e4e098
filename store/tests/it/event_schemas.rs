//! `docs/events.schema.json`: the JSON Schema of every event, asked of the code: what it reads in the place of each field of a
//! golden file tells the field's type. `KEYNEST_UPDATE_DOCS=1` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keynest_domain::{Event, OrganizationId};
use keynest_store::{
    Recorded, cloud_event, decode, fields_for_auditors, sealed_for_auditors, withheld_fields,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::given::*;

/// Text that is base64 of something else than the sample, and text that is not base64 at all.
const OTHER_BASE64: &str = "AAAA";
const NO_BASE64: &str = "!";
/// Clear, but of no use to readers: whoever has keys could make something of it.
const OF_NO_USE: [&str; 3] = ["digest", "digests", "claim"];
/// Sealed samples in golden files are 20 bytes, in base64.
const SEALED_SAMPLE_CHARS: usize = 27;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn golden(name: &str, version: u16) -> Map<String, Value> {
    let text = std::fs::read_to_string(root(&format!("golden/{name}.v{version}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn recorded(name: &str, version: u16, data: &Map<String, Value>) -> Recorded {
    stored(name, version, serde_json::to_vec(data).unwrap())
}

/// One field of one shape, to be asked what it may be.
struct Field<'a> {
    event: (&'a str, u16),
    all: &'a Map<String, Value>,
    name: &'a str,
}

impl Field<'_> {
    fn refusal(&self, value: impl Into<Value>) -> Option<String> {
        let mut data = self.all.clone();
        data.insert(self.name.to_owned(), value.into());
        let refused = decode(&recorded(self.event.0, self.event.1, &data)).err()?;
        let cause = std::error::Error::source(&refused).map(ToString::to_string);
        Some(cause.unwrap_or_default())
    }

    fn takes(&self, value: impl Into<Value>) -> bool {
        self.refusal(value).is_none()
    }

    fn schema(&self) -> Value {
        let mut schema = match &self.all[self.name] {
            Value::String(sample) => self.text(sample),
            Value::Number(_) => json!({"type": "integer"}),
            Value::Bool(_) => json!({"type": "boolean"}),
            Value::Array(items) => {
                let item = items.first().map_or("null", kind);
                json!({"type": "array", "items": {"type": item}})
            }
            Value::Object(_) => json!({"type": "object"}),
            // No sample: what is read in its place, or nothing that may be told.
            Value::Null if self.takes(OTHER_BASE64) => self.text(OTHER_BASE64),
            Value::Null if self.takes(1) => json!({"type": "integer"}),
            Value::Null if self.takes(true) => json!({"type": "boolean"}),
            Value::Null => json!({"type": "object", "x-keynest-withheld": "not described"}),
        };
        let is_withheld = schema.get("x-keynest-withheld").is_some();
        if self.takes(Value::Null) || is_withheld {
            schema["type"] = json!([schema["type"], "null"]);
            if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                words.push(Value::Null);
            }
        }
        schema
    }

    fn text(&self, sample: &str) -> Value {
        if OF_NO_USE.contains(&self.name) {
            return json!({"type": "string", "x-keynest-withheld": "of no use to readers"});
        }
        match (self.takes(OTHER_BASE64), self.refusal(NO_BASE64)) {
            (true, Some(_)) => {
                json!({"type": "string", "contentEncoding": "base64", "x-keynest-withheld": "sealed"})
            }
            (true, None) => json!({"type": "string"}),
            (false, _) if Uuid::parse_str(sample).is_ok() && sample.contains('-') => {
                json!({"type": "string", "format": "uuid"})
            }
            (false, _) if sample.len() == 32 => {
                json!({"type": "string", "pattern": "^[0-9a-f]{32}$", "x-keynest-withheld": "of no use to readers"})
            }
            (false, refusal) => {
                let refusal = refusal.unwrap_or_default();
                let expected = refusal.split_once("expected").map_or("", |(_, words)| words);
                let words: BTreeSet<&str> = expected.split('`').skip(1).step_by(2).collect();
                match words.contains(sample) {
                    true => json!({"type": "string", "enum": words}),
                    // Text with a form of its own, such as the name of a key.
                    false => json!({"type": "string"}),
                }
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn shapes() -> Vec<(&'static str, u16)> {
    let versions = |(name, current)| (1..=current).map(move |version| (name, version));
    Event::catalogue().flat_map(versions).collect()
}

fn shape(name: &str, version: u16) -> Value {
    let all = golden(name, version);
    let fields = all.keys().map(|field| {
        let asked = Field { event: (name, version), all: &all, name: field };
        let mut schema = asked.schema();
        if fields_for_auditors(name).contains(&field.as_str()) {
            schema["x-keynest-opened"] = json!("to auditors, over HTTP");
        }
        (field.clone(), schema)
    });
    let properties: Map<String, Value> = fields.collect();
    let required: Vec<&String> = all.keys().collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// The envelope: attributes that every event has, and those that some have.
fn envelope() -> Value {
    let text = json!({"type": "string"});
    json!({
        "specversion": {"const": "1.0"}, "id": {"type": "string", "format": "uuid"},
        "source": {"type": "string", "format": "uri"}, "type": text, "subject": text,
        "time": {"type": "string", "format": "date-time"}, "datacontenttype": {"const": "application/json"},
        "version": {"type": "integer", "minimum": 1}, "position": {"type": ["string", "integer"]}, "stream": text,
        "revision": {"type": "integer", "minimum": 1}, "organization": text, "actor": text,
        "causation": {"type": "string", "format": "uuid"}, "correlation": {"type": "string", "format": "uuid"},
        "data": {"type": "object"},
    })
}

fn schema() -> Value {
    let named = |(name, version): (&str, u16)| (format!("{name}.v{version}"), shape(name, version));
    let shapes_by_name: Map<String, Value> = shapes().into_iter().map(named).collect();
    let when = |(name, version): (&str, u16)| {
        let what = json!({"type": {"const": name}, "version": {"const": version}});
        let data = json!({"$ref": format!("#/$defs/{name}.v{version}")});
        json!({"if": {"properties": what}, "then": {"properties": {"data": data}}})
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of KeyNest as CloudEvents 1.0",
        "description": "Generated from the code. A field with x-keynest-withheld is null in GET /api/events/, unless x-keynest-opened names its readers.",
        "type": "object",
        "properties": envelope(),
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "version", "position",
                     "stream", "revision", "data"],
        "allOf": shapes().into_iter().map(when).collect::<Vec<_>>(),
        "$defs": shapes_by_name,
    })
}

#[test]
fn the_schema_file_says_what_the_code_reads() {
    let path = root("../docs/events.schema.json");
    let wanted = format!("{:#}\n", schema());
    if std::env::var_os("KEYNEST_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(
        there == wanted,
        "docs/events.schema.json is old: KEYNEST_UPDATE_DOCS=1 writes it anew"
    );
}

#[test]
fn no_sealed_field_of_any_event_is_told() {
    let mut sealed = 0;
    for (name, version) in Event::catalogue() {
        let data = golden(name, version);
        let withheld = withheld_fields(name, &data);
        let told = cloud_event(&recorded(name, version, &data), "https://x", "p").unwrap();
        for (field, sample) in &data {
            let is_sealed = sample.as_str().is_some_and(|it| it.len() == SEALED_SAMPLE_CHARS);
            sealed += usize::from(is_sealed);
            assert!(!is_sealed || withheld.contains(&field.as_str()), "{name}: {field}");
            let is_hidden = withheld.contains(&field.as_str());
            assert_eq!(
                is_hidden || sample.is_null(),
                told["data"][field].is_null(),
                "{name}: {field}"
            );
            if sample.is_array() || sample.is_object() {
                let nested = sample.to_string();
                let mut texts = nested.split('"');
                assert!(
                    texts.all(|it| it.len() != SEALED_SAMPLE_CHARS),
                    "{name}: {field} hides something sealed"
                );
            }
        }
    }
    assert!(sealed > 20, "golden files have sealed samples");
}

/// What auditors see opened is a list of its own: each of it is there, is sealed, and nothing of a value is among it.
#[test]
fn what_auditors_see_opened_is_sealed_and_no_value() {
    let mut told = BTreeSet::new();
    for (name, version) in Event::catalogue() {
        let data = golden(name, version);
        let mut recorded = recorded(name, version, &data);
        recorded.metadata.organization = Some(OrganizationId::new(7));
        let opened: Vec<&str> = sealed_for_auditors(&recorded).iter().map(|it| it.field).collect();
        assert_eq!(opened, fields_for_auditors(name), "{name}");
        let withheld = withheld_fields(name, &data);
        assert!(opened.iter().all(|field| withheld.contains(field)), "{name}");
        told.extend(opened);
    }
    assert_eq!(Vec::from_iter(told), ["address", "description", "name", "subject"]);
}

#[test]
fn a_field_that_the_schema_does_not_know_is_withheld() {
    let data = json!({"tomorrow": 1}).as_object().unwrap().clone();
    assert_eq!(withheld_fields("organization.updated", &data), ["tomorrow"]);
    assert_eq!(withheld_fields("nothing.known", &data), ["tomorrow"]);
}
