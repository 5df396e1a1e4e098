//! Files that are made to cost memory or time (THREATS A23): refused with a code, nothing is expanded.

use super::{FILE_BYTES_MAX, Format, parse};

fn codes(bytes: &[u8], format: Format) -> Vec<&'static str> {
    let error = parse(bytes, format, None).expect_err("a hostile file");
    error.lines.iter().map(|bad| bad.code).collect()
}

#[test]
fn a_file_over_the_limit_is_not_looked_at() {
    let error = parse(&vec![b'\n'; FILE_BYTES_MAX + 1], Format::Auto, None).expect_err("too large");
    assert_eq!((error.lines[0].code, error.lines[0].line), ("file_too_large", None));
    assert!(parse(&vec![b'\n'; FILE_BYTES_MAX], Format::Env, None).is_ok());
}

#[test]
fn ten_levels_of_aliases_are_never_expanded() {
    let mut file = "A0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=10 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        file.push_str(&format!("A{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(codes(file.as_bytes(), Format::Yaml), ["not_a_text"; 11]);
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_refused() {
    let deep = 100_000;
    let json = format!("{{\"A\": {}1{}}}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(codes(json.as_bytes(), Format::Json), ["not_a_text"]);
    let open = format!("{{\"A\": {}", "{\"a\":".repeat(deep));
    assert_eq!(codes(open.as_bytes(), Format::Json), ["malformed_json"]);
    let flow = format!("A: {}", "[".repeat(deep));
    assert_eq!(codes(flow.as_bytes(), Format::Yaml).first(), Some(&"not_a_text"));
    let block = format!("A:\n  {}x", "- ".repeat(deep));
    assert_eq!(codes(block.as_bytes(), Format::Yaml), ["not_a_text", "nested_too_deeply"]);
    let wide = format!("A:\n{}", "- x\n".repeat(deep));
    assert_eq!(codes(wide.as_bytes(), Format::Yaml), ["not_a_text", "too_many_nodes"]);
}

#[test]
fn a_million_keys_are_refused_at_the_first_too_many() {
    let many = |line: fn(u32) -> String, end: &str| -> Vec<u8> {
        ((0..500_000).map(line).collect::<String>() + end).into_bytes()
    };
    let env = many(|at| format!("K{at}=\n"), "");
    assert_eq!(codes(&env, Format::Env), ["too_many_keys"]);
    let json = many(|at| format!("{}\"K{at}\":1", if at == 0 { "{" } else { "," }), "}");
    assert_eq!(codes(&json, Format::Json), ["too_many_keys"]);
    let yaml = many(|at| format!("K{at}: 1\n"), "");
    assert_eq!(codes(&yaml, Format::Yaml), ["too_many_keys"]);
}

#[test]
fn a_huge_key_or_value_is_refused_without_being_repeated() {
    let huge = "x".repeat(1024 * 1024);
    for (file, format, code) in [
        (format!("{huge}=1"), Format::Env, "invalid_key"),
        (format!("A={huge}"), Format::Env, "value_too_long"),
        (format!("A='{huge}'"), Format::Env, "value_too_long"),
        (format!("{{\"{huge}\": 1}}"), Format::Json, "invalid_key"),
        (format!("{{\"A\": \"{huge}\"}}"), Format::Json, "value_too_long"),
        (format!("{{\"A\": 1{}}}", "0".repeat(100_000)), Format::Json, "value_too_long"),
        (format!("A: {huge}"), Format::Yaml, "value_too_long"),
        (format!("? {huge}\n: 1"), Format::Yaml, "invalid_key"),
    ] {
        let error = parse(file.as_bytes(), format, None).expect_err("huge");
        assert_eq!(error.lines[0].code, code);
        assert!(error.lines[0].message.len() < 200, "{code}");
    }
}

#[test]
fn archives_and_other_encodings_are_no_text() {
    for bytes in [&b"\x1f\x8b\x08\0\0"[..], b"PK\x03\x04\xff", b"\xff\xfeA\0", b"\xfe\xff\0A"] {
        assert_eq!(codes(bytes, Format::Auto), ["not_utf8"]);
    }
}

#[test]
fn commands_and_references_are_plain_text() {
    let file = parse(b"A=$(touch /tmp/x)\nB=`id`\nC=${A}\n", Format::Env, None).expect("good");
    let values = file.texts().into_iter().map(|(_, value)| value);
    assert_eq!(values.collect::<Vec<_>>(), ["$(touch /tmp/x)", "id", "${A}"]);
}

#[test]
fn errors_and_entries_never_show_a_value() {
    for (file, format) in [
        ("A=s3cret\nA=s3cret\ns3cret line\nB='s3cret' s3cret\n-s3cret=1\nC='s3cret", Format::Env),
        ("{\"A\": \"s3cret\", \"A\": [\"s3cret\"], \"B\": \"s3cret\\ud800\", s3cret", Format::Json),
        ("A: s3cret\nA: [s3cret]\nB: !!int s3cret\nC: &s3cret s3cret\nD: %s3cret", Format::Yaml),
    ] {
        let error = parse(file.as_bytes(), format, None).expect_err("bad");
        assert!(error.lines.len() >= 3, "{error:?}");
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    }
    let good = parse(b"A=s3cret", Format::Env, None).expect("good");
    assert!(!format!("{good:?}").contains("s3cret"));
}
