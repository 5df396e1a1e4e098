//! YAML files as people write them, and what we make of them.

use super::{Format, LineError, parse, render};
use keynest_domain::FileFormat;

fn read(text: &str) -> Result<Vec<(String, String)>, Vec<LineError>> {
    parse(text.as_bytes(), Format::Yaml, None).map(|file| file.texts()).map_err(|error| error.lines)
}

fn refusals(text: &str) -> Vec<(u32, &'static str)> {
    let lines = read(text).expect_err("a bad file");
    lines.iter().map(|bad| (bad.line.expect("a line"), bad.code)).collect()
}

#[test]
fn scalars_keep_the_text_that_was_written() {
    for (raw, value) in [
        ("012", "012"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("no", "no"),
        ("True", "True"),
        ("2001-12-14", "2001-12-14"),
        ("12:30:45", "12:30:45"),
        ("a b # comment", "a b"),
        ("a#b", "a#b"),
        ("''", ""),
        ("\"\"", ""),
        ("'null'", "null"),
        ("'it''s'", "it's"),
        ("\"a\\n\\x41\\u00e9\\U0001F511\"", "a\nAé🔑"),
        ("|\n  one\n  two", "one\ntwo\n"),
        ("|-\n  one\n  two\n", "one\ntwo"),
        (">\n  one\n  two\n", "one two\n"),
        ("one\n  two", "one two"),
        ("!!str null", "null"),
        ("!!str", ""),
        ("\"${X} $(id)\"", "${X} $(id)"),
    ] {
        let entry = ("A".to_owned(), value.to_owned());
        assert_eq!(read(&format!("A: {raw}\n")), Ok(vec![entry]), "{raw}");
    }
}

#[test]
fn a_mapping_may_be_written_in_each_way_that_yaml_has() {
    let expected = [("A", "1"), ("B", "x")].map(|(key, text)| (key.to_owned(), text.to_owned()));
    for file in [
        "A: 1\nB: x\n",
        "--- # start\nA: 1\r\nB: x\r\n...\n",
        "{A: 1, \"B\": x}",
        "? A\n: 1\n? B\n: x\n",
        "\u{feff}# comment\n'A' : 1\nB:\n  x\n",
        "%YAML 1.2\n---\nA: 1\nB: x\n",
    ] {
        assert_eq!(read(file), Ok(expected.to_vec()), "{file}");
    }
}

#[test]
fn a_file_with_nothing_in_it_has_no_entries() {
    for file in ["", "# comment\n", "---\n", "{}\n"] {
        assert_eq!(read(file), Ok(Vec::new()), "{file}");
    }
}

#[test]
fn what_is_no_list_of_texts_is_refused() {
    for (file, expected) in [
        ("A:\nB: ~\nC: null\nD: x", vec![(1, "not_a_text"), (2, "not_a_text"), (3, "not_a_text")]),
        (
            "A: [1, {x: 2}]\nB: {x: 1}\nC:\n - 1",
            vec![(1, "not_a_text"), (2, "not_a_text"), (4, "not_a_text")],
        ),
        ("[A]: 1\nB: [1]", vec![(1, "invalid_key"), (2, "not_a_text")]),
        (
            "A: &x 1\nB: *x\nC: [*x]",
            vec![(1, "anchor_refused"), (2, "alias_refused"), (3, "not_a_text")],
        ),
        ("&m\nA: 1", vec![(1, "anchor_refused")]),
        (
            "A: !!int 1\nB: !x y\nC: !!binary aGk=",
            vec![(1, "tag_refused"), (2, "tag_refused"), (3, "tag_refused")],
        ),
        ("<<: x", vec![(1, "invalid_key")]),
        ("A: 1\n---\nB: 2", vec![(2, "more_than_one_document")]),
        ("- A\n- B", vec![(1, "not_a_mapping")]),
        ("just text", vec![(1, "not_a_mapping")]),
        ("A: 1\n\"A\": 2", vec![(2, "duplicate_key")]),
        ("A: \"x\\0\"", vec![(1, "nul_character")]),
        ("A: 1\nB: *nowhere", vec![(2, "malformed_yaml")]),
        ("A: \"open\n", vec![(1, "malformed_yaml")]),
        ("A: 1\n  B: @", vec![(2, "malformed_yaml")]),
    ] {
        assert_eq!(refusals(file), expected, "{file}");
    }
}

#[test]
fn an_export_is_quoted_for_every_reader() {
    let told = render(
        &[("A", "no"), ("on", "a\t\"b\"\\\r\n"), ("B", "é\u{feff}\u{85}\u{1b}")],
        FileFormat::Yaml,
    );
    assert_eq!(told, "A: \"no\"\n\"on\": \"a\\t\\\"b\\\"\\\\\\r\\n\"\nB: \"é\\uFEFF\\x85\\x1B\"\n");
}
