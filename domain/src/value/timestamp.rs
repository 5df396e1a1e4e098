//! Points and spans of time, in microseconds, the resolution that Postgres keeps.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, iso8601};

const ISO: Iso8601<
    {
        iso8601::Config::DEFAULT
            .set_time_precision(iso8601::TimePrecision::Second {
                decimal_digits: std::num::NonZeroU8::new(6),
            })
            .encode()
    },
> = Iso8601;

/// Microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A span of time in whole seconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifetime(u32);

impl Timestamp {
    /// From microseconds since 1970-01-01 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down (JWT NumericDate, RFC 7519 section 2).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// ISO 8601 with microseconds and `Z` (CONTRACT 1.0).
    pub fn iso(self) -> String {
        OffsetDateTime::from(self)
            .format(&ISO)
            .expect("a date between the years -9999 and 9999 has a text")
    }

    /// The span from `earlier` to this, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Lifetime {
        Lifetime(u32::try_from((self.0 - earlier.0).max(0) / 1_000_000).unwrap_or(u32::MAX))
    }
}

impl Lifetime {
    /// Whole seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Whole minutes.
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(minutes * 60)
    }

    /// Whole hours.
    pub const fn from_hours(hours: u32) -> Self {
        Self(hours * 3_600)
    }

    /// Whole days.
    pub const fn from_days(days: u32) -> Self {
        Self(days * 86_400)
    }

    /// Seconds.
    pub const fn secs(self) -> u32 {
        self.0
    }

    /// Microseconds.
    pub const fn micros(self) -> i64 {
        self.0 as i64 * 1_000_000
    }
}

impl Add<Lifetime> for Timestamp {
    type Output = Self;
    fn add(self, span: Lifetime) -> Self {
        Self(self.0.saturating_add(span.micros()))
    }
}

impl Sub<Lifetime> for Timestamp {
    type Output = Self;
    fn sub(self, span: Lifetime) -> Self {
        Self(self.0.saturating_sub(span.micros()))
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(at: Timestamp) -> Self {
        Self::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_with_microseconds_and_z() {
        assert_eq!(
            Timestamp::from_micros(1_767_225_600_000_001).iso(),
            "2026-01-01T00:00:00.000001Z"
        );
    }
}
