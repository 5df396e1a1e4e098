//! README.md's first visit, as it stands there, against a fresh KeyNest with its default throttles.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::running::Place;

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_readme_shows_the_script_line_by_line() {
    let script = repository("scripts/first-visit");
    let lines = script.split_once("\nset -euo pipefail\n\n").unwrap().1;
    let readme = repository("README.md");
    let section = readme.split_once("## A first visit\n").unwrap().1;
    let block = section.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(block, lines, "README.md (left) differs from scripts/first-visit (right)");
}

#[test]
fn the_first_visit_works_as_written() {
    let place = Place::new();
    let defaults =
        [("KEYNEST_THROTTLE_REGISTER_PER_MINUTE", "3"), ("KEYNEST_THROTTLE_AUTH_PER_MINUTE", "5")];
    let running = place.serve_with(&defaults);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/first-visit");
    let mut visit = Command::new(script);
    visit.env("KEYNEST_URL", format!("http://{}", running.address));
    let output = visit.output().unwrap();
    let [said, complaint] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{said}\n{complaint}");
    let exported =
        "API_KEY=k-42\nDATABASE_URL=postgres://shop:s3cret@db/shop\nGREETING='hello world'\n";
    assert!(said.contains(exported), "{said}");
    assert!(said.contains(r#""decrypted_value":"[HIDDEN]""#), "Bob saw values: {said}");
    assert!(said.contains(r#""action":"export""#), "{said}");
}
