//! Every shape that was ever stored is decoded for ever: `golden/<stored name>.v<version>.json` (DESIGN 4).
//! A new event or version brings its file in the same commit; a file is never changed and never removed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use keynest_domain::Event;
use keynest_store::{NewEvent, Recorded, decode, encode};
use serde_json::Value;

use crate::given::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Stored names and versions that have a file.
fn files() -> BTreeSet<(String, u16)> {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    names
        .map(|file| {
            let file = file.into_string().unwrap();
            let (name, version) = file.strip_suffix(".json").unwrap().rsplit_once(".v").unwrap();
            (name.to_owned(), version.parse().unwrap())
        })
        .collect()
}

fn bytes(name: &str, version: u16) -> Bytes {
    std::fs::read(folder().join(format!("{name}.v{version}.json"))).unwrap().into()
}

fn golden(name: &str, version: u16) -> Recorded {
    stored(name, version, bytes(name, version))
}

#[test]
fn every_version_of_every_event_has_its_file() {
    let wanted: BTreeSet<_> = Event::catalogue()
        .flat_map(|(name, current)| (1..=current).map(move |version| (name.to_owned(), version)))
        .collect();
    assert_eq!(files(), wanted);
}

#[test]
fn every_file_is_decoded_into_the_event_of_its_name() {
    for (name, version) in files() {
        let event = decode(&golden(&name, version)).unwrap_or_else(|why| panic!("{why:?}"));
        assert_eq!(event.name(), name);
    }
}

#[test]
fn the_current_shape_is_encoded_as_it_stands_in_the_file() {
    for (name, current) in Event::catalogue() {
        let event = decode(&golden(name, current)).unwrap();
        let NewEvent { data, version, .. } = encode(&event);
        assert_eq!(version, current);
        let [written, golden]: [Value; 2] =
            [&data, &bytes(name, current)].map(|json| serde_json::from_slice(json).unwrap());
        assert_eq!(written, golden, "{name} v{current}");
    }
}
