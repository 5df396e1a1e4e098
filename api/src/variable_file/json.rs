//! JSON: one object of texts, numbers, `true` and `false`.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::draft::Draft;
use super::lines::Lines;

/// Reads the object. Raw values keep numbers as they were written and are skipped without recursion, so
/// depth costs nothing.
pub(super) fn parse(text: &str, draft: &mut Draft) {
    if !text.trim_start().starts_with('{') {
        draft.refuse(1, "not_a_mapping", "the file is not a JSON object");
        return;
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let entries = Entries { text, lines: Lines::new(text.as_bytes()), draft };
    let read = json.deserialize_map(entries).and_then(|()| json.end());
    if let Err(error) = read
        && !draft.is_full()
    {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        draft.refuse(line, "malformed_json", reason(&error));
    }
}

/// Two blanks of indent, in the order given.
pub(super) fn render(entries: &[(&str, &str)]) -> String {
    if entries.is_empty() {
        return "{}\n".to_owned();
    }
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let lines: Vec<_> =
        entries.iter().map(|(key, value)| format!("  {}: {}", quote(key), quote(value))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

struct Entries<'a, 'de> {
    text: &'de str,
    lines: Lines<'de>,
    draft: &'a mut Draft,
}

impl<'de> Visitor<'de> for Entries<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<&RawValue>()? {
            let value = map.next_value::<&RawValue>()?;
            self.entry(key.get(), value.get());
            if self.draft.is_full() {
                return Err(A::Error::custom("too many keys"));
            }
        }
        Ok(())
    }
}

impl Entries<'_, '_> {
    fn entry(&mut self, raw_key: &str, raw: &str) {
        let line = self.line_of(raw_key);
        let key = match serde_json::from_str::<String>(raw_key) {
            Ok(key) => self.draft.key(line, &key),
            Err(error) => return self.draft.refuse(line, "malformed_json", reason(&error)),
        };
        let line = self.line_of(raw);
        match raw.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(raw) {
                Ok(value) => self.draft.value(line, key, value),
                Err(error) => self.draft.refuse(line, "malformed_json", reason(&error)),
            },
            Some(b'n') => self.draft.not_a_text(line, key.as_ref(), "null"),
            Some(b'[') => self.draft.not_a_text(line, key.as_ref(), "an array"),
            Some(b'{') => self.draft.not_a_text(line, key.as_ref(), "an object"),
            Some(_) | None => self.draft.value(line, key, raw.to_owned()),
        }
    }

    /// `part` is a piece of `text`, so its place there is the difference of their addresses.
    fn line_of(&mut self, part: &str) -> u32 {
        self.lines.at(part.as_ptr().addr() - self.text.as_ptr().addr())
    }
}

/// What is wrong, without the place. Errors of syntax are fixed texts; others could repeat a value.
fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Syntax | Category::Eof => {
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or_default().to_lowercase()
        }
        Category::Data | Category::Io => "the file is not a JSON object of texts".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, parse};

    type Told = (u32, &'static str, String);

    fn read(text: &str) -> Result<Vec<(String, String)>, Vec<Told>> {
        let file = parse(text.as_bytes(), Format::Json, None).map_err(|error| error.lines);
        file.map(|file| file.texts()).map_err(|lines| {
            let told =
                |bad: super::super::LineError| (bad.line.unwrap_or(0), bad.code, bad.message);
            lines.into_iter().map(told).collect()
        })
    }

    #[test]
    fn scalars_keep_the_text_that_was_written() {
        for (raw, value) in [
            (r#""a\n\"b\" é 🔑""#, "a\n\"b\" é 🔑"),
            (r#""\ud83d\udd11""#, "🔑"),
            ("1e400", "1e400"),
            ("12345678901234567890.10", "12345678901234567890.10"),
            ("-0", "-0"),
            ("true", "true"),
            ("false", "false"),
            (r#""""#, ""),
        ] {
            let entry = ("A".to_owned(), value.to_owned());
            assert_eq!(read(&format!("{{\"A\": {raw}}}")), Ok(vec![entry]), "{raw}");
        }
    }

    #[test]
    fn all_values_that_are_no_text_are_named_with_their_lines() {
        let told = read("{\n\"A\": null,\n\"B\": [1, [2]],\n\"C\":\n{\"D\": 1},\n\"E\": 1\n}");
        let expected = [
            (2, "not_a_text", "the value of A is null, not a text".to_owned()),
            (3, "not_a_text", "the value of B is an array, not a text".to_owned()),
            (5, "not_a_text", "the value of C is an object, not a text".to_owned()),
        ];
        assert_eq!(told, Err(expected.to_vec()));
    }

    #[test]
    fn a_duplicate_key_is_refused_also_if_it_is_written_with_escapes() {
        let told = read("{\"A\": \"1\",\n\"\\u0041\": \"2\"}");
        let expected = (2, "duplicate_key", "the key A is already on line 1".to_owned());
        assert_eq!(told, Err(vec![expected]));
    }

    #[test]
    fn broken_files_say_where_and_never_repeat_a_value() {
        for (text, line, code, message) in [
            ("{\"A\": \"s3cret\",\n}", 2, "malformed_json", "trailing comma"),
            ("{\"A\": s3cret}", 1, "malformed_json", "expected value"),
            ("{\"A\": \"s3cret", 1, "malformed_json", "eof while parsing a string"),
            ("{\"A\": \"s3cret\"}\nx", 2, "malformed_json", "trailing characters"),
            ("\"s3cret\"", 1, "not_a_mapping", "the file is not a JSON object"),
            ("", 1, "not_a_mapping", "the file is not a JSON object"),
            ("{\"A\": \"\\u0000\"}", 1, "nul_character", "the value of A has a NUL character"),
            ("{\" A\": 1}", 1, "invalid_key", "the key begins or ends with a blank"),
        ] {
            assert_eq!(read(text), Err(vec![(line, code, message.to_owned())]), "{text}");
        }
        let half_a_pair = read("{\"A\": \"s3cret\\ud800\"}").expect_err("half a surrogate pair");
        assert_eq!(half_a_pair[0].1, "malformed_json");
        assert!(!half_a_pair[0].2.contains("s3cret"));
    }
}
