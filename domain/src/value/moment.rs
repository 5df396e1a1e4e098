//! The ends of a span of time as callers write them: a day, or a moment with its offset.

use time::format_description::well_known::Iso8601;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::{Lifetime, Timestamp};

/// From a day's beginning, or from a moment.
pub fn from(text: &str) -> Option<Timestamp> {
    day(text).or_else(|| moment(text))
}

/// Before a moment; a day is meant as a whole.
pub fn until(text: &str) -> Option<Timestamp> {
    day(text).map(|begin| begin + Lifetime::from_days(1)).or_else(|| moment(text))
}

fn day(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.midnight().assume_utc().into())
}

fn moment(text: &str) -> Option<Timestamp> {
    // A plus sign in a query string reads as a blank.
    OffsetDateTime::parse(&text.replace(' ', "+"), &Iso8601::DEFAULT).ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_as_a_whole() {
        assert_eq!(from("2026-01-02").unwrap().iso(), "2026-01-02T00:00:00.000000Z");
        assert_eq!(until("2026-01-02").unwrap().iso(), "2026-01-03T00:00:00.000000Z");
        assert_eq!(until("2026-01-02T03:04:05Z").unwrap().iso(), "2026-01-02T03:04:05.000000Z");
        assert_eq!(from("2026-01-02T03:04:05 02:00").unwrap().iso(), "2026-01-02T01:04:05.000000Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "today", "2026-13-01", "2026-01-02T03:04:05", "999999-01-01"] {
            assert_eq!((from(text), until(text)), (None, None), "{text}");
        }
    }
}
