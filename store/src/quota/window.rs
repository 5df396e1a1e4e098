//! One counter: what was counted in the slots of a sliding window.

use keynest_domain::Timestamp;
use keynest_domain::limits::Quota;

/// Parts of a window that are told apart.
pub const SLOTS: i64 = 60;
const SECOND: i64 = 1_000_000;

/// How a caller stands after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it was counted; otherwise the quota is used up.
    pub is_within: bool,
    /// How many more there may be now.
    pub remaining: u32,
    /// Until there is more, in seconds, rounded up: at most a window.
    pub reset_seconds: u32,
}

/// Slots in which something was counted, oldest first: when the slot began, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window(Vec<(i64, u32)>);

impl Window {
    /// Counts one if there is room.
    pub fn take(&mut self, quota: Quota, now: Timestamp) -> Taken {
        let now = now.micros();
        let window = micros(quota);
        self.0.retain(|(start, _)| start + window > now);
        let mut used: u64 = self.0.iter().map(|(_, count)| u64::from(*count)).sum();
        let is_within = used < u64::from(quota.quota);
        let slot = slot(quota, now);
        if is_within {
            used += 1;
            match self.0.last_mut() {
                Some((start, count)) if *start >= slot => *count += 1,
                _ => self.0.push((slot, 1)),
            }
        }
        let oldest = self.0.first().map_or(slot, |(start, _)| *start);
        stands(quota, is_within, used, oldest, now)
    }

    /// Whether it says nothing any more. Windows are at most a day.
    pub fn is_over(&self, quota: Quota, now: Timestamp) -> bool {
        self.0.last().is_none_or(|(start, _)| start + micros(quota) <= now.micros())
    }
}

/// The window, in microseconds.
pub(crate) fn micros(quota: Quota) -> i64 {
    i64::from(quota.window_seconds.max(1)) * SECOND
}

/// When the slot began that holds a time.
pub(crate) fn slot(quota: Quota, now: i64) -> i64 {
    let length = micros(quota) / SLOTS;
    now - now.rem_euclid(length)
}

pub(crate) fn stands(quota: Quota, is_within: bool, used: u64, oldest: i64, now: i64) -> Taken {
    let left = u64::from(quota.quota).saturating_sub(used);
    let wait = (oldest + micros(quota) - now).max(1);
    Taken {
        is_within,
        remaining: u32::try_from(left).unwrap_or(u32::MAX),
        reset_seconds: u32::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Quota = Quota::new(5, 60);
    /// The begin of a slot.
    const NOON: i64 = 43_200 * SECOND;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(NOON + millis * 1_000)
    }

    #[test]
    fn five_a_minute_are_five_and_come_back_a_minute_later() {
        let mut window = Window::default();
        for remaining in [4, 3, 2, 1, 0] {
            let taken = window.take(FIVE, at(0));
            assert_eq!(taken, Taken { is_within: true, remaining, reset_seconds: 60 });
        }
        for (millis, reset_seconds) in [(0, 60), (500, 60), (1_000, 59), (59_999, 1)] {
            let taken = window.take(FIVE, at(millis));
            assert_eq!(taken, Taken { is_within: false, remaining: 0, reset_seconds }, "{millis}");
        }
        assert!(window.take(FIVE, at(60_000)).is_within);
    }

    #[test]
    fn no_span_of_59_seconds_has_more_than_the_quota() {
        let mut window = Window::default();
        let taken: Vec<i64> =
            (0..300_000).step_by(137).filter(|t| window.take(FIVE, at(*t)).is_within).collect();
        assert!(taken.windows(6).all(|six| six[5] - six[0] >= 59_000), "{taken:?}");
        assert_eq!(taken.len(), 25, "and all of it can be used");
    }

    #[test]
    fn what_told_reset_says_is_true() {
        let mut window = Window::default();
        for millis in [300, 20_300, 40_300] {
            window.take(Quota::new(3, 60), at(millis));
        }
        let refused = window.take(Quota::new(3, 60), at(40_300));
        assert_eq!((refused.is_within, refused.reset_seconds), (false, 20));
        let after = 40_300 + i64::from(refused.reset_seconds) * 1_000;
        assert!(window.take(Quota::new(3, 60), at(after)).is_within);
    }

    #[test]
    fn a_smaller_quota_holds_at_once_and_a_clock_that_steps_back_loses_nothing() {
        let mut window = Window::default();
        (0..5).for_each(|_| assert!(window.take(FIVE, at(10_000)).is_within));
        let taken = window.take(Quota::new(2, 60), at(10_000));
        assert_eq!((taken.is_within, taken.remaining), (false, 0));
        assert!(!window.take(FIVE, at(5_000)).is_within);
    }
}
