//! The result while it grows: entries so far, bad lines so far, and the rules that all formats share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use keynest_domain::environment::{IMPORT_KEYS_MAX, VALUE_BYTES_MAX};
use keynest_domain::{FileFormat, VariableKey};
use secrecy::SecretString;

use super::{FileError, LINE_ERRORS_MAX, LineError, MASKS, Parsed};

pub(super) struct Draft {
    parsed: Parsed,
    /// The line where each key was seen first.
    seen: HashMap<VariableKey, u32>,
    /// All keys, also bad ones.
    keys: usize,
    error: FileError,
}

impl Draft {
    pub(super) fn new(format: FileFormat) -> Self {
        Self {
            parsed: Parsed { format, entries: Vec::new() },
            seen: HashMap::new(),
            keys: 0,
            error: FileError { lines: Vec::new(), omitted: 0 },
        }
    }

    /// Whether nothing more will be taken, so that parsers stop.
    pub(super) fn is_full(&self) -> bool {
        self.keys > IMPORT_KEYS_MAX
    }

    pub(super) fn refuse(&mut self, line: u32, code: &'static str, message: impl Into<String>) {
        if self.error.lines.len() < LINE_ERRORS_MAX {
            let message = message.into();
            self.error.lines.push(LineError { line: Some(line), code, message });
        } else {
            self.error.omitted += 1;
        }
    }

    /// Checks the next key; none if it was refused. A bad key's text is not repeated: it may be a line of a
    /// secret that lost its quotes.
    pub(super) fn key(&mut self, line: u32, text: &str) -> Option<VariableKey> {
        self.keys += 1;
        if self.is_full() {
            let message = format!("the file has more than {IMPORT_KEYS_MAX} keys");
            self.refuse(line, "too_many_keys", message);
            return None;
        }
        if text != text.trim() {
            self.refuse(line, "invalid_key", "the key begins or ends with a blank");
            return None;
        }
        match VariableKey::parse(text) {
            Ok(key) => self.first_of_its_name(line, key),
            Err(_) if text.is_empty() => {
                self.refuse(line, "invalid_key", "the key is empty");
                None
            }
            Err(_) => {
                let rule = "a key has at most 255 characters: a letter or underscore, then letters, digits and underscores";
                self.refuse(line, "invalid_key", rule);
                None
            }
        }
    }

    fn first_of_its_name(&mut self, line: u32, key: VariableKey) -> Option<VariableKey> {
        let message = match self.seen.entry(key.clone()) {
            Entry::Vacant(free) => {
                free.insert(line);
                return Some(key);
            }
            Entry::Occupied(taken) => format!("the key {key} is already on line {}", taken.get()),
        };
        self.refuse(line, "duplicate_key", message);
        None
    }

    /// Checks a value and keeps it, unless its key was refused before.
    pub(super) fn value(&mut self, line: u32, key: Option<VariableKey>, value: String) {
        let name = named(key.as_ref());
        if value.len() > VALUE_BYTES_MAX {
            let message = format!("the value{name} has more than {VALUE_BYTES_MAX} bytes");
            self.refuse(line, "value_too_long", message);
        } else if value.contains('\0') {
            let message = format!("the value{name} has a NUL character");
            self.refuse(line, "nul_character", message);
        } else if MASKS.contains(&value.as_str()) {
            let message = format!("the value{name} is the mask of a hidden value");
            self.refuse(line, "masked_value", message);
        } else if let Some(key) = key {
            self.parsed.entries.push((key, SecretString::from(value)));
        }
    }

    /// Refuses a value that is no text.
    pub(super) fn not_a_text(&mut self, line: u32, key: Option<&VariableKey>, what: &str) {
        let message = format!("the value{} is {what}, not a text", named(key));
        self.refuse(line, "not_a_text", message);
    }

    pub(super) fn finish(self) -> Result<Parsed, FileError> {
        if self.error.lines.is_empty() { Ok(self.parsed) } else { Err(self.error) }
    }
}

fn named(key: Option<&VariableKey>) -> String {
    key.map(|key| format!(" of {key}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(fill: impl Fn(&mut Draft)) -> Vec<(&'static str, String)> {
        let mut draft = Draft::new(FileFormat::Env);
        fill(&mut draft);
        let lines = draft.finish().expect_err("something bad").lines;
        lines.into_iter().map(|bad| (bad.code, bad.message)).collect()
    }

    #[test]
    fn keys_that_differ_only_in_case_are_two_keys() {
        let told = refusals(|draft| {
            for (line, key) in [(1, "Key"), (2, "KEY"), (3, "Key")] {
                draft.key(line, key);
            }
        });
        assert_eq!(told, [("duplicate_key", "the key Key is already on line 1".to_owned())]);
    }

    #[test]
    fn the_key_after_the_last_one_allowed_is_refused() {
        let mut draft = Draft::new(FileFormat::Env);
        for line in 1..=IMPORT_KEYS_MAX {
            draft.key(1, &format!("K{line}"));
        }
        assert!(!draft.is_full());
        assert_eq!(draft.key(7, "ONE_MORE"), None);
        assert!(draft.is_full());
        let error = draft.finish().expect_err("too many");
        assert_eq!((error.lines[0].line, error.lines[0].code), (Some(7), "too_many_keys"));
    }

    #[test]
    fn a_value_may_be_as_long_as_the_limit_and_no_longer() {
        let mut draft = Draft::new(FileFormat::Env);
        let key = draft.key(1, "A");
        draft.value(1, key, "x".repeat(VALUE_BYTES_MAX));
        assert_eq!(draft.finish().expect("fits").entries.len(), 1);
        let told = refusals(|draft| draft.value(1, None, "x".repeat(VALUE_BYTES_MAX + 1)));
        assert_eq!(told[0].0, "value_too_long");
    }

    #[test]
    fn masks_and_nul_are_no_values() {
        let told = refusals(|draft| {
            draft.value(1, None, "[HIDDEN]".to_owned());
            draft.value(2, None, "[NO_ACCESS]".to_owned());
            draft.value(3, None, "a\0b".to_owned());
        });
        let codes: Vec<_> = told.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["masked_value", "masked_value", "nul_character"]);
    }

    #[test]
    fn bad_lines_beyond_the_limit_are_counted() {
        let mut draft = Draft::new(FileFormat::Env);
        for line in 1..=130 {
            draft.refuse(line, "missing_equals", "x");
        }
        let error = draft.finish().expect_err("bad lines");
        assert_eq!((error.lines.len(), error.omitted), (100, 30));
        assert_eq!(error.to_string(), "the file of variables has bad lines (130)");
    }
}
