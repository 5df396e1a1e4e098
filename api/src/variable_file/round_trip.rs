//! What an export writes, an import reads back byte for byte, in every format; and no bytes make a parser panic.

use keynest_domain::FileFormat;
use keynest_domain::environment::VALUE_BYTES_MAX;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::{Format, MASKS, parse, render};

const FORMATS: [(FileFormat, Format); 3] = [
    (FileFormat::Env, Format::Env),
    (FileFormat::Json, Format::Json),
    (FileFormat::Yaml, Format::Yaml),
];

/// Pieces that mean something to one of the formats, among ordinary ones.
pub(super) const NASTY: &[&str] = &[
    "'",
    "\"",
    "`",
    "\\",
    "\\\\",
    "\\n",
    "\\\"",
    "\\'",
    "$",
    "${X}",
    "$(id)",
    "`id`",
    "#",
    " #",
    "# ",
    "=",
    ":",
    ": ",
    "-",
    "--- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a",
    "*a",
    "!!int",
    "|",
    ">",
    "%",
    "@",
    "~",
    "null",
    "no",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\t",
    " ",
    "  ",
    "\u{b}",
    "\u{c}",
    "\u{1}",
    "\u{1b}",
    "\u{7f}",
    "\u{80}",
    "\u{81}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10ffff}",
    "é",
    "e\u{301}",
    "🔑",
    "👩‍💻",
    "كلمة",
    "export ",
    "A=1",
    "\nA=1",
    "a",
    "0",
    "012",
    "<<",
    "%41",
    "&amp;",
];

/// Any value that may be stored: no NUL, no mask.
pub(super) fn values() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,12}",
    ];
    vec(piece, 0..12)
        .prop_map(|pieces| pieces.concat().replace('\0', ""))
        .prop_filter("not a mask", |value| !MASKS.contains(&value.as_str()))
}

fn files() -> impl Strategy<Value = Vec<(String, String)>> {
    let key =
        prop_oneof![4 => "[A-Za-z_][A-Za-z0-9_]{0,9}", 1 => "(?i)(y|no|on|true|null|export|_)"];
    btree_map(key.prop_map(|key| key.to_lowercase()), values(), 0..8)
        .prop_map(|entries| entries.into_iter().collect())
}

fn there_and_back(entries: &[(String, String)]) {
    let borrowed: Vec<_> = entries.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    for (format, given) in FORMATS {
        let file = render(&borrowed, format);
        let back = parse(file.as_bytes(), given, None).expect("an export is a good file");
        let back: Vec<_> =
            back.entries.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
        assert_eq!(back, borrowed, "{file}");
        if !entries.is_empty() {
            assert_eq!(Format::Auto.resolve(None, &file), format, "{file}");
        }
    }
}

#[test]
fn a_value_of_the_largest_size_survives_every_format() {
    for piece in ["a", "'", "\"", "\\", "\n", "\r\n", "$", "🔑", "'\\"] {
        let value = piece.repeat(VALUE_BYTES_MAX / piece.len());
        there_and_back(&[("A".to_owned(), value), ("B".to_owned(), "b".to_owned())]);
    }
}

#[test]
fn every_pair_of_nasty_pieces_survives_every_format() {
    for first in NASTY {
        let entry = |second: &&str| format!("{first}{second}");
        let values = NASTY.iter().map(entry).enumerate();
        let entries: Vec<_> = values.map(|(at, value)| (format!("K{at}"), value)).collect();
        there_and_back(&entries);
    }
}

proptest! {
    #[test]
    fn every_value_survives_every_format(entries in files()) {
        there_and_back(&entries);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..200)) {
        read_in_every_format(&bytes);
    }

    #[test]
    fn no_text_makes_a_parser_panic(
        pieces in vec(proptest::sample::select(NASTY), 0..60), key in "[A-Z]{0,2}[=:]? ?"
    ) {
        read_in_every_format(format!("{key}{}", pieces.concat()).as_bytes());
    }
}

/// Errors are bounded, name lines of the file and are sorted.
fn read_in_every_format(bytes: &[u8]) {
    for format in [Format::Env, Format::Json, Format::Yaml, Format::Auto] {
        if let Err(error) = parse(bytes, format, None) {
            assert!((1..=super::LINE_ERRORS_MAX).contains(&error.lines.len()));
            assert!(error.lines.iter().all(|bad| bad.line.is_some_and(|line| line > 0)));
        }
    }
}
