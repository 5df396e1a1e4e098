//! `docs/FILE_FORMATS.md` shows what the code really answers.

use keynest_domain::FileFormat;

use super::{FILE_BYTES_MAX, Format, parse, render};

const PAGE: &str = include_str!("../../../docs/FILE_FORMATS.md");

/// The rows of the page's table of errors, made by provoking each error.
fn rows() -> Vec<String> {
    let small: [(Format, &[u8]); 23] = [
        (Format::Env, b"A=1\nB=\xff"),
        (Format::Env, b"\xff\xfeA\0"),
        (Format::Env, b"A=x\0y"),
        (Format::Json, b"{\"A\": \"x\\u0000\"}"),
        (Format::Env, b"A=1\nB 2"),
        (Format::Env, b"=1"),
        (Format::Env, b"A-B=1"),
        (Format::Json, b"{\" A\": \"1\"}"),
        (Format::Env, b"Key=1\nKey=2"),
        (Format::Env, b"A='it's"),
        (Format::Env, b"A=\"one\ntwo"),
        (Format::Env, b"A=[HIDDEN]"),
        (Format::Json, b"[1]"),
        (Format::Yaml, b"- A"),
        (Format::Json, b"{\"A\": null}"),
        (Format::Json, b"{\"A\": {}}"),
        (Format::Yaml, b"A:"),
        (Format::Yaml, b"A: [1]"),
        (Format::Json, b"{\"A\": \"1\",}"),
        (Format::Yaml, b"A: \"x"),
        (Format::Yaml, b"A: &x 1"),
        (Format::Yaml, b"A: !!int 1"),
        (Format::Yaml, b"A: 1\n---\nB: 2"),
    ];
    let mut rows: Vec<_> = small
        .into_iter()
        .map(|(format, file)| {
            let shown = file.escape_ascii().to_string();
            let shown = shown.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\");
            row(format, &format!("`{shown}`"), file)
        })
        .collect();
    let many: String = (0..1_001).map(|at| format!("K{at}=\n")).collect();
    let large = vec![b'#'; FILE_BYTES_MAX + 1];
    rows.push(row(Format::Yaml, "an alias of a known anchor", b"A: &x 1\nB: *x"));
    rows.push(row(Format::Env, "1,001 keys", many.as_bytes()));
    rows.push(row(Format::Env, "a value of 65,537 bytes", &[b"A=", &[b'x'; 65_537][..]].concat()));
    rows.push(row(Format::Env, "a file of 10 MiB and a byte", &large));
    rows.push(row(Format::Yaml, "65 levels", ["A: ", &"[".repeat(65)].concat().as_bytes()));
    rows.push(row(
        Format::Yaml,
        "a long list",
        ["A:\n", &"- x\n".repeat(20_000)].concat().as_bytes(),
    ));
    rows
}

/// The last error of a file as a row.
fn row(format: Format, shown: &str, file: &[u8]) -> String {
    let error = parse(file, format, None).expect_err("a bad file");
    let bad = error.lines.last().expect("at least one");
    let line = bad.line.map_or("none".to_owned(), |line| line.to_string());
    let format = format!("{format:?}").to_lowercase();
    format!("| `{}` | {format} | {shown} | {line} | {} |", bad.code, bad.message)
}

#[test]
fn the_page_lists_every_error_as_it_is_given() {
    let rows = rows();
    let missing: Vec<_> = rows.iter().filter(|row| !PAGE.contains(&format!("{row}\n"))).collect();
    assert!(missing.is_empty(), "missing on the page:\n{missing:#?}");
    let on_page =
        PAGE.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() >= 6);
    assert_eq!(on_page.count(), rows.len(), "the page has rows that nothing produces");
}

#[test]
fn the_page_shows_exports_as_they_are_written() {
    let entries = [
        ("PLAIN", "abc-123"),
        ("EMPTY", ""),
        ("BLANKS", " two words "),
        ("DOLLAR", "pa$$word #1"),
        ("BOTH", "it's \"$5\""),
        ("LINES", "one\ntwo\n"),
    ];
    for format in [FileFormat::Env, FileFormat::Json, FileFormat::Yaml] {
        let block = format!("```{}\n{}```\n", format.name(), render(&entries, format));
        assert!(PAGE.contains(&block), "missing on the page:\n{block}");
    }
}
