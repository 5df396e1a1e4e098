//! YAML: one document, one mapping of scalars. Values keep the text that is written, so `012`, `no` and
//! dates stay what they look like. Aliases, anchors and tags are refused before anything is expanded.

use keynest_domain::VariableKey;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::draft::Draft;

/// Deepest nesting that is walked to name further bad values; a deeper file is refused at once.
const NESTING_MAX: usize = 64;
/// Most keys, values and parts of refused values that are walked; bounds the time that one file takes.
const NODES_MAX: usize = 20_000;
/// Words that YAML 1.1 readers take for something else than a text, in lower case.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Reads the mapping.
pub(super) fn parse(text: &str, draft: &mut Draft) {
    let mut parser = Parser::new_from_str(text);
    let mut walk = Walk { draft, depth: 0, documents: 0, nodes: 0, next: Next::Key };
    while let Some(read) = parser.next_event() {
        let is_going_on = match read {
            Ok((event, span)) => walk.step(&event, line_number(span.start.line())),
            Err(error) => {
                // The reader's own words may repeat a character of a value.
                let line = line_number(error.marker().line());
                walk.stop(line, "malformed_yaml", "the file is not valid YAML at this line")
            }
        };
        if !is_going_on || walk.draft.is_full() {
            return;
        }
    }
}

/// Every value in double quotes and keys where a reader might not see a text, in the order given.
pub(super) fn render(entries: &[(&str, &str)]) -> String {
    if entries.is_empty() {
        return "{}\n".to_owned();
    }
    let mut file = String::new();
    for (key, value) in entries {
        if RESERVED.contains(&key.to_ascii_lowercase().as_str()) {
            push_quoted(&mut file, key);
        } else {
            file.push_str(key);
        }
        file.push_str(": ");
        push_quoted(&mut file, value);
        file.push('\n');
    }
    file
}

fn push_quoted(file: &mut String, text: &str) {
    file.push('"');
    for char in text.chars() {
        match char {
            '"' => file.push_str("\\\""),
            '\\' => file.push_str("\\\\"),
            '\n' => file.push_str("\\n"),
            '\r' => file.push_str("\\r"),
            '\t' => file.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                file.push_str(&format!("\\x{:02X}", u32::from(char)));
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                file.push_str(&format!("\\u{:04X}", u32::from(char)));
            }
            _ => file.push(char),
        }
    }
    file.push('"');
}

/// What the mapping has to bring next; a value knows its key unless that was refused.
enum Next {
    Key,
    Value(Option<VariableKey>),
}

struct Walk<'a> {
    draft: &'a mut Draft,
    /// 0 around the document, 1 inside its mapping, more inside a refused value.
    depth: usize,
    documents: usize,
    nodes: usize,
    next: Next,
}

impl Walk<'_> {
    /// Takes an event; false ends the walk.
    fn step(&mut self, event: &Event<'_>, line: u32) -> bool {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return self.stop(line, "too_many_nodes", "lists and mappings have too many parts");
        }
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                let more = "the file has more than one YAML document";
                self.documents == 1 || self.stop(line, "more_than_one_document", more)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = *style == ScalarStyle::Plain;
                self.scalar(line, text, is_plain, *anchor != 0, tag.as_deref())
            }
            Event::Alias(_) => {
                self.lost(line, "alias_refused", "aliases are not allowed");
                true
            }
            Event::SequenceStart(..) if self.depth == 0 => self.not_a_mapping(line),
            Event::MappingStart(anchor, tag) if self.depth == 0 => {
                self.depth = 1;
                !self.is_decorated(line, *anchor != 0, tag.as_deref())
            }
            Event::SequenceStart(..) => self.nested(line, "a list"),
            Event::MappingStart(..) => self.nested(line, "a mapping"),
            Event::SequenceEnd | Event::MappingEnd => {
                self.depth -= 1;
                if self.depth == 1 {
                    self.pass();
                }
                true
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
        }
    }

    fn scalar(
        &mut self,
        line: u32,
        text: &str,
        is_plain: bool,
        has_anchor: bool,
        tag: Option<&Tag>,
    ) -> bool {
        match self.depth {
            0 if is_plain && text.is_empty() => return true, // a document with nothing in it
            0 => return self.not_a_mapping(line),
            1 => {}
            _ => return true,
        }
        if self.is_decorated(line, has_anchor, tag) {
            self.pass();
            return true;
        }
        match std::mem::replace(&mut self.next, Next::Key) {
            Next::Key => self.next = Next::Value(self.draft.key(line, text)),
            Next::Value(key) if is_plain && tag.is_none() && is_null(text) => {
                self.draft.not_a_text(line, key.as_ref(), "null or empty without quotes");
            }
            Next::Value(key) => self.draft.value(line, key, text.to_owned()),
        }
        true
    }

    /// Refuses what no list of texts needs: anchors, and tags other than `!!str`.
    fn is_decorated(&mut self, line: u32, has_anchor: bool, tag: Option<&Tag>) -> bool {
        let is_str = |tag: &Tag| tag.is_yaml_core_schema() && tag.suffix == "str";
        if has_anchor {
            self.draft.refuse(line, "anchor_refused", "anchors are not allowed");
        } else if tag.is_some_and(|tag| !is_str(tag)) {
            self.draft.refuse(line, "tag_refused", "tags other than !!str are not allowed");
        } else {
            return false;
        }
        true
    }

    fn nested(&mut self, line: u32, what: &str) -> bool {
        if self.depth == 1 {
            match &self.next {
                Next::Key => self.draft.refuse(line, "invalid_key", format!("the key is {what}")),
                Next::Value(key) => self.draft.not_a_text(line, key.as_ref(), what),
            }
        }
        self.depth += 1;
        let deep = "lists and mappings are nested too deeply";
        self.depth <= NESTING_MAX || self.stop(line, "nested_too_deeply", deep)
    }

    /// Refuses the key or value that stands here.
    fn lost(&mut self, line: u32, code: &'static str, message: &str) {
        if self.depth == 1 {
            self.draft.refuse(line, code, message);
            self.pass();
        }
    }

    /// Goes on after a key or value that was refused.
    fn pass(&mut self) {
        self.next = match self.next {
            Next::Key => Next::Value(None),
            Next::Value(_) => Next::Key,
        };
    }

    fn not_a_mapping(&mut self, line: u32) -> bool {
        self.stop(line, "not_a_mapping", "the file is not a YAML mapping")
    }

    fn stop(&mut self, line: u32, code: &'static str, message: &str) -> bool {
        self.draft.refuse(line, code, message);
        false
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}
