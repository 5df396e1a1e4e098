//! Whether a stream is there, was deleted or ended, and what of it is visible (DESIGN 4: nothing is ever removed from the log).

use keynest_domain::{StreamName, Timestamp};
use keynest_store::{EventStore, ReadError, Recorded, Revision};
use serde::Deserialize;

use crate::envelope::{Event, REVISION_MAX, is_tombstone};
use crate::names::{is_settings, settings_of};

/// A stream's settings as they stood at one revision of the stream that holds them. An append checks that revision.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub stream: StreamName,
    pub at: Revision,
    pub settings: Settings,
    pub is_tombstoned: bool,
    /// The settings as a client wrote them, to be written again with another `$tb`.
    pub text: serde_json::Map<String, serde_json::Value>,
}

/// What of the settings decides what is visible.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    #[serde(rename = "$maxCount")]
    max_count: Option<u64>,
    #[serde(rename = "$maxAge")]
    max_age_seconds: Option<i64>,
    #[serde(rename = "$tb")]
    truncated_before: Option<u64>,
}

impl Guard {
    pub(crate) async fn load(store: &EventStore, name: &str) -> Result<Self, ReadError> {
        let stream = settings_of(name);
        let at = store.stream_revision(&stream).await?;
        let mut guard = Self {
            stream,
            at,
            settings: Settings::default(),
            is_tombstoned: false,
            text: serde_json::Map::new(),
        };
        if at != Revision::NONE {
            let before = Revision::new(at.get() - 1);
            let last = store.read_stream_page(&guard.stream, before, 1).await?;
            guard.is_tombstoned = last.iter().any(is_tombstone);
            guard.text = last.into_iter().next().map(text_of).unwrap_or_default();
        }
        guard.settings = if is_settings(name) {
            Settings { max_count: Some(1), ..Settings::default() }
        } else {
            serde_json::from_value(guard.text.clone().into()).unwrap_or_default()
        };
        Ok(guard)
    }

    /// Deleted, to be written again by the next append.
    pub(crate) fn is_deleted(&self) -> bool {
        self.settings.truncated_before == Some(REVISION_MAX)
    }

    /// The settings with another start of what is visible.
    pub(crate) fn text_with_truncation(&self, before: u64) -> serde_json::Value {
        let mut text = self.text.clone();
        text.insert("$tb".to_owned(), before.into());
        text.into()
    }
}

fn text_of(recorded: Recorded) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(&Event::from(recorded).data).unwrap_or_default()
}

impl Settings {
    /// The first revision that is visible of a stream of so many events, counted from zero.
    pub(crate) fn first_visible(&self, events: Revision) -> u64 {
        let events = u64::from(events.get());
        let by_count = self.max_count.map_or(0, |most| events.saturating_sub(most));
        by_count.max(self.truncated_before.unwrap_or(0))
    }

    /// When an event must have been recorded to be visible now.
    pub(crate) fn visible_since(&self, now: Timestamp) -> Option<Timestamp> {
        let age = self.max_age_seconds?.saturating_mul(1_000_000);
        Some(Timestamp::from_micros(now.micros().saturating_sub(age)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_stricter_of_count_and_truncation_holds() {
        for (text, first) in [
            ("{}", 0),
            (r#"{"$maxCount":3}"#, 7),
            (r#"{"$maxCount":30}"#, 0),
            (r#"{"$tb":8,"$maxCount":3}"#, 8),
            (r#"{"$tb":2,"$maxCount":3,"mine":[]}"#, 7),
        ] {
            assert_eq!(settings(text).first_visible(Revision::new(10)), first, "{text}");
        }
    }

    #[test]
    fn age_is_in_seconds() {
        let now = Timestamp::from_micros(10_000_000);
        assert_eq!(settings("{}").visible_since(now), None);
        let since = settings(r#"{"$maxAge":4}"#).visible_since(now);
        assert_eq!(since, Some(Timestamp::from_micros(6_000_000)));
    }
}
