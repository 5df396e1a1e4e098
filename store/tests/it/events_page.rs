//! `docs/EVENTS.md` lists the events of the catalogue with the fields of their golden files, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use keynest_domain::Event;
use serde_json::Value;

/// Field to whether it is sealed.
type Fields = BTreeMap<String, bool>;
/// Stored name and version to fields.
type Catalogue = BTreeMap<(String, u16), Fields>;

const SEALED: &str = " **sealed**";
/// Sealed samples in golden files are 20 bytes, in base64; nothing else there has this length.
const SEALED_SAMPLE_CHARS: usize = 27;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn in_code() -> Catalogue {
    let entry = |(name, version): (&str, u16)| {
        let golden: Value =
            serde_json::from_str(&read(&format!("golden/{name}.v{version}.json"))).unwrap();
        let fields = golden.as_object().unwrap().iter();
        let is_sealed =
            |value: &Value| value.as_str().is_some_and(|text| text.len() == SEALED_SAMPLE_CHARS);
        ((name.to_owned(), version), fields.map(|(k, v)| (k.clone(), is_sealed(v))).collect())
    };
    Event::catalogue().map(entry).collect()
}

/// Rows such as `| `user.activated` | 1 | meaning | `at` time; … |`: four cells, a stored name and a number in front.
fn on_page() -> Catalogue {
    let mut found = Catalogue::new();
    for line in read("../docs/EVENTS.md").lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [name, version, _, payload] = cells[..] else { continue };
        let Ok(version) = version.parse() else { continue };
        let name = name.trim_start_matches("| ").trim_matches('`').to_owned();
        let fields = fields(payload.trim_end_matches(" |"));
        assert!(found.insert((name, version), fields).is_none(), "twice: {line}");
    }
    found
}

fn fields(payload: &str) -> Fields {
    if payload == "no fields" {
        return Fields::new();
    }
    let field = |text: &str| {
        let (name, rest) = text.trim().strip_prefix('`')?.split_once('`')?;
        Some((name.to_owned(), rest.starts_with(SEALED)))
    };
    payload.split(';').map(|text| field(text).unwrap_or_else(|| panic!("{text}"))).collect()
}

#[test]
fn the_page_lists_every_event_with_its_fields_and_nothing_else() {
    let (code, page) = (in_code(), on_page());
    let names = |of: &Catalogue| of.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&page), names(&code), "docs/EVENTS.md (left) differs from the code (right)");
    for (event, fields) in &code {
        assert_eq!(&page[event], fields, "docs/EVENTS.md (left), {event:?}: field to is-sealed");
    }
}
