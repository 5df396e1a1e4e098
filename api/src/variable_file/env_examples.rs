//! Lines as the pages of node's dotenv, ruby's dotenv and python-dotenv show them, and what we make of them.

use super::{Format, parse};

fn entries(text: &str) -> Vec<(String, String)> {
    parse(text.as_bytes(), Format::Env, None).expect("a good file").texts()
}

fn value(text: &str) -> String {
    let mut entries = entries(text);
    assert_eq!(entries.len(), 1, "{text}");
    entries.remove(0).1
}

fn refusals(text: &str) -> Vec<(u32, &'static str)> {
    let error = parse(text.as_bytes(), Format::Env, None).expect_err("a bad file");
    error.lines.iter().map(|bad| (bad.line.expect("a line"), bad.code)).collect()
}

#[test]
fn values_without_quotes_are_trimmed_and_otherwise_taken_as_they_are() {
    for (line, expected) in [
        ("BASIC=basic", "basic"),
        ("  SPACED  =  some spaced out string  ", "some spaced out string"),
        ("EMPTY=", ""),
        ("EMPTY=   ", ""),
        ("export EXPORTED=yes", "yes"),
        ("export\tEXPORTED = yes", "yes"),
        ("EQUAL_SIGNS=equals==", "equals=="),
        ("JSON={\"foo\": \"bar\"}", "{\"foo\": \"bar\"}"),
        ("MAIL=therealnerdybeast@example.tld", "therealnerdybeast@example.tld"),
        ("URL=https://u:p@h/x#part", "https://u:p@h/x#part"),
        ("WINDOWS=C:\\new\\table", "C:\\new\\table"),
        ("EXPAND=expand\\nnew", "expand\\nnew"),
        ("DOMAIN=${HOST}/$PATH `id` $(id)", "${HOST}/$PATH `id` $(id)"),
        ("QUOTE_INSIDE=it's \"fine\"", "it's \"fine\""),
        ("NOT_ASCII=schlüssel 🔑", "schlüssel 🔑"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
}

#[test]
fn a_comment_begins_at_the_line_or_after_a_blank() {
    for (line, expected) in [
        ("# whole line\nA=1", "1"),
        ("   # A=2\nA=1", "1"),
        ("SECRET_KEY=YOURSECRETKEYGOESHERE # comment", "YOURSECRETKEYGOESHERE"),
        ("A=1\t# comment with = and 'quote", "1"),
        ("A= # comment", ""),
        ("A=x # one # two", "x"),
        ("A=#not a comment", "#not a comment"),
        ("SECRET_HASH=\"something-with-a-#-hash\"", "something-with-a-#-hash"),
        ("A='x # y' # z", "x # y"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
}

#[test]
fn three_kinds_of_quotes_keep_blanks_and_differ_in_escapes() {
    for (line, expected) in [
        ("A='  single  '", "  single  "),
        ("A='no\\nescapes\\\\here'", "no\\nescapes\\\\here"),
        ("A='C:\\'", "C:\\"),
        ("A='say \"hi\" `now`'", "say \"hi\" `now`"),
        (r#"A="a\nb\rc\td""#, "a\nb\rc\td"),
        (r#"A="\\ \" \$ \`""#, "\\ \" $ `"),
        (r#"A="kept: \d \' \x""#, "kept: \\d \\' \\x"),
        (r#"A="ends with \\""#, "ends with \\"),
        (r#"A="it's ${HOME} $(id)""#, "it's ${HOME} $(id)"),
        ("A=`it's a \"test\" \\n`", "it's a \"test\" \\n"),
        ("A=''", ""),
        ("A=\"\"   ", ""),
        ("export A = 'x'\t", "x"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
}

#[test]
fn quoted_values_may_span_lines_and_keep_their_line_ends() {
    let key = "-----BEGIN KEY-----\nKh9NV=\n# no comment\n\n-----END KEY-----\n";
    for quote in ['"', '\'', '`'] {
        let file = format!("A=1\nKEY={quote}{key}{quote} # comment\nB=2\n");
        let told = entries(&file);
        assert_eq!(told[1].1, key, "{quote}");
        assert_eq!(told[2], ("B".to_owned(), "2".to_owned()), "{quote}");
    }
    assert_eq!(value("A='one\r\ntwo\rthree'\r\n"), "one\r\ntwo\rthree");
}

#[test]
fn every_line_end_and_a_byte_order_mark_are_understood() {
    let expected = [("A", "1"), ("B", "2")].map(|(key, text)| (key.to_owned(), text.to_owned()));
    for file in ["A=1\nB=2", "A=1\r\n\r\nB=2\r\n", "A=1\rB=2", "\u{feff}A=1\nB=2\n"] {
        assert_eq!(entries(file), expected, "{file:?}");
    }
}

#[test]
fn a_key_may_be_called_export() {
    assert_eq!(entries("export=1"), [("export".to_owned(), "1".to_owned())]);
    assert_eq!(entries("exported=1"), [("exported".to_owned(), "1".to_owned())]);
}

#[test]
fn bad_lines_are_refused_each_by_its_name() {
    for (file, expected) in [
        ("A", vec![(1, "missing_equals")]),
        ("export A", vec![(1, "missing_equals")]),
        ("A: 1", vec![(1, "missing_equals")]),
        ("=1", vec![(1, "invalid_key")]),
        ("1A=1", vec![(1, "invalid_key")]),
        ("A-B=1", vec![(1, "invalid_key")]),
        ("'A'=1", vec![(1, "invalid_key")]),
        ("É=1", vec![(1, "invalid_key")]),
        ("A=1\nB='x\n\nC=2", vec![(2, "unterminated_quote")]),
        ("A=\"x\\\"", vec![(1, "unterminated_quote")]),
        ("A='it's'", vec![(1, "text_after_quote")]),
        ("A=\"x\"y", vec![(1, "text_after_quote")]),
        ("A=\"x\"#y", vec![(1, "text_after_quote")]),
        ("A='one\ntwo' x\nB", vec![(2, "text_after_quote"), (3, "missing_equals")]),
        ("A=1\na=2\nA=3", vec![(3, "duplicate_key")]),
        ("A=[HIDDEN]", vec![(1, "masked_value")]),
    ] {
        assert_eq!(refusals(file), expected, "{file}");
    }
}

#[test]
fn all_bad_lines_of_a_file_are_named_at_once() {
    let told = refusals("OK=1\nno equals\r\n2=x\nOK=2\n\nA='x' y\nB=\"open\n");
    let expected = [
        (2, "missing_equals"),
        (3, "invalid_key"),
        (4, "duplicate_key"),
        (6, "text_after_quote"),
        (7, "unterminated_quote"),
    ];
    assert_eq!(told, expected);
}
