//! Filters on all events: prefixes or one pattern, on the type or on the stream.

use fancy_regex::{Regex, RegexBuilder};
use tonic::Status;

use crate::envelope::Event;

/// Steps back that matching one name may take; clients send patterns.
const BACKTRACKS_MAX: usize = 10_000;
/// Events that are looked at between two checkpoints where the client names no window.
const WINDOW_EVENTS: u64 = 32;

#[derive(Debug)]
pub(crate) struct Filter {
    on: Subject,
    by: Pattern,
    /// Events that are looked at between two checkpoints.
    pub checkpoint_events: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    Stream,
    Type,
}

#[derive(Debug)]
enum Pattern {
    Prefixes(Vec<String>),
    Regex(Box<Regex>),
}

impl Filter {
    /// `window` is none where the client gave a count of its own to stop at.
    pub(crate) fn new(
        on: Subject,
        regex: String,
        prefixes: Vec<String>,
        window: Option<u32>,
        multiplier: u32,
    ) -> Result<Self, Status> {
        let by = if regex.is_empty() {
            Pattern::Prefixes(prefixes)
        } else {
            let compiled = RegexBuilder::new(&regex).backtrack_limit(BACKTRACKS_MAX).build();
            let refused = |error| Status::invalid_argument(format!("filter pattern: {error}"));
            Pattern::Regex(Box::new(compiled.map_err(refused)?))
        };
        let window = window.map_or(WINDOW_EVENTS, u64::from).max(1);
        let checkpoint_events = window.saturating_mul(u64::from(multiplier.max(1)));
        Ok(Self { on, by, checkpoint_events })
    }

    /// A pattern that gives up on a name does not match it.
    pub(crate) fn matches(&self, event: &Event) -> bool {
        let text = match self.on {
            Subject::Stream => &event.stream,
            Subject::Type => &event.kind,
        };
        match &self.by {
            Pattern::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Pattern::Regex(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

/// From the messages that `streams.proto` and `persistent.proto` each have for it.
macro_rules! filter_from {
    ($options:expr, $module:path) => {{
        use $module::{Filter as On, Window};
        let options = $options;
        let (on, expression) = match options.filter {
            Some(On::StreamIdentifier(expression)) => ($crate::filter::Subject::Stream, expression),
            Some(On::EventType(expression)) => ($crate::filter::Subject::Type, expression),
            None => return Err(tonic::Status::invalid_argument("filter on nothing")),
        };
        let window = match options.window {
            Some(Window::Max(events)) => Some(events),
            Some(Window::Count(())) | None => None,
        };
        let multiplier = options.checkpoint_interval_multiplier;
        $crate::filter::Filter::new(on, expression.regex, expression.prefix, window, multiplier)
    }};
}
pub(crate) use filter_from;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use keynest_domain::Timestamp;
    use keynest_store::Position;
    use uuid::Uuid;

    use super::*;

    fn of_type(kind: &str) -> Event {
        Event {
            id: Uuid::nil(),
            stream: "stream-1".to_owned(),
            revision: 0,
            position: Position::START,
            kind: kind.to_owned(),
            content_type: String::new(),
            metadata: Bytes::new(),
            data: Bytes::new(),
            created: Timestamp::from_micros(0),
        }
    }

    fn by_pattern(pattern: &str) -> Result<Filter, Status> {
        Filter::new(Subject::Type, pattern.to_owned(), Vec::new(), None, 1)
    }

    #[test]
    fn patterns_look_ahead() {
        let filter = by_pattern(r"^(?!(?:\$.+|PersistentConfig\d+)$).+$").unwrap();
        assert!(filter.matches(&of_type("user.registered")));
        assert!(!filter.matches(&of_type("$metadata")));
        assert!(!filter.matches(&of_type("PersistentConfig1")));
    }

    #[test]
    fn a_pattern_that_never_ends_does_not_match() {
        let filter = by_pattern(r"^(?=(a+)+$)\1b").unwrap();
        assert!(!filter.matches(&of_type(&format!("{}!", "a".repeat(60)))));
    }

    #[test]
    fn a_broken_pattern_is_refused() {
        assert_eq!(by_pattern("(").unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn prefixes_are_alternatives_and_none_matches_nothing() {
        let of = |prefixes: &[&str]| {
            let prefixes = prefixes.iter().map(|it| (*it).to_owned()).collect();
            Filter::new(Subject::Stream, String::new(), prefixes, Some(5), 3).unwrap()
        };
        assert!(of(&["other", "strea"]).matches(&of_type("")));
        assert!(!of(&["tream"]).matches(&of_type("")));
        assert!(!of(&[]).matches(&of_type("")));
        assert_eq!(of(&[]).checkpoint_events, 15);
    }
}
