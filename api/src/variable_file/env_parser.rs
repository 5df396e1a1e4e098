//! The .env reader: `KEY=value` lines as `dotenv` tools know them, with no expansion and no execution.
//!
//! Where tools differ, `sh` wins, so that our own export means the same here and there: `#` begins a
//! comment after a blank only (node's dotenv: anywhere), single quotes have no escapes (python-dotenv
//! undoes `\\` and `\'`), double quotes undo `\$` and a protected backtick (both tools do not), and text
//! right behind a closing quote is an error (node takes the quotes for text, python drops the line). Unlike
//! `sh` but like the tools, double quotes know `\n`, `\r` and `\t`, and backticks quote as in node's dotenv.
//! `KEY: value`, keys in quotes and keys without `=`, which one tool or the other takes, are errors.

use super::draft::Draft;
use super::lines::Lines;

const BLANK: [char; 2] = [' ', '\t'];
const LINE_END: [char; 2] = ['\r', '\n'];

/// Reads every line. An open quote that never closes ends the reading, since what follows cannot be told
/// from its text.
pub(super) fn parse(text: &str, draft: &mut Draft) {
    let mut reader = Reader { text, lines: Lines::new(text.as_bytes()), draft };
    let mut at = 0;
    while at < text.len() && !reader.draft.is_full() {
        at = reader.line(at);
    }
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines<'a>,
    draft: &'a mut Draft,
}

impl<'a> Reader<'a> {
    /// Reads the line that begins at `start` and returns where the next one may begin.
    fn line(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let row = &self.text[start..end];
        let row = row.trim_matches(BLANK);
        if row.is_empty() || row.starts_with('#') {
            return end + 1;
        }
        let line = self.lines.at(start);
        let Some((key, _)) = row.split_once('=') else {
            self.draft.refuse(line, "missing_equals", "the line has no equals sign");
            return end + 1;
        };
        let key = self.draft.key(line, without_export(key));
        let value_at = start + self.text[start..end].find('=').expect("found above") + 1;
        let raw = &self.text[value_at..end];
        let value = raw.trim_start_matches(BLANK);
        match value.as_bytes().first() {
            Some(&quote @ (b'\'' | b'"' | b'`')) => {
                let open = end - value.len();
                let Some(close) = closing_quote(&self.text[open + 1..], quote) else {
                    let message = "a quote opens here and never closes; the rest was not read";
                    self.draft.refuse(line, "unterminated_quote", message);
                    return self.text.len();
                };
                let close = open + 1 + close;
                let inner = &self.text[open + 1..close];
                let end = self.line_end(close);
                if self.is_end_of_value(line, close + 1, end) {
                    let inner = if quote == b'"' { unescape(inner) } else { inner.to_owned() };
                    self.draft.value(line, key, inner);
                }
                end + 1
            }
            Some(_) | None => {
                self.draft.value(line, key, unquoted(raw).to_owned());
                end + 1
            }
        }
    }

    /// Whether only blanks or a comment follow a closing quote.
    fn is_end_of_value(&mut self, opened_on: u32, from: usize, end: usize) -> bool {
        let rest = &self.text[from..end];
        let word = rest.trim_start_matches(BLANK);
        if word.is_empty() || (word.starts_with('#') && word.len() < rest.len()) {
            return true;
        }
        let line = self.lines.at(from);
        let message = format!("text follows the quote that opened on line {opened_on}");
        self.draft.refuse(line, "text_after_quote", message);
        false
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find(LINE_END).map_or(self.text.len(), |length| from + length)
    }
}

/// `export` is a word of its own only in front of a key.
fn without_export(key: &str) -> &str {
    let key = key.trim_matches(BLANK);
    match key.strip_prefix("export") {
        Some(rest) if rest.starts_with(BLANK) => rest.trim_start_matches(BLANK),
        Some(_) | None => key,
    }
}

/// The text up to a comment, trimmed; backslashes and quotes inside are themselves.
fn unquoted(raw: &str) -> &str {
    let bytes = raw.as_bytes();
    let is_comment = |at: &usize| bytes[*at] == b'#' && matches!(bytes[at - 1], b' ' | b'\t');
    let end = (1..bytes.len()).find(is_comment).unwrap_or(bytes.len());
    raw[..end].trim_matches(BLANK)
}

/// Where the quote closes; a backslash protects the next character in double quotes only.
fn closing_quote(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn unescape(inner: &str) -> String {
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            value.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some(escaped @ ('\\' | '"' | '$' | '`')) => value.push(escaped),
            other => {
                value.push('\\');
                value.extend(other);
            }
        }
    }
    value
}
