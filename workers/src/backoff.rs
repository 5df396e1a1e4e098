//! When a failed piece of work is tried again (DESIGN 7).

use keynest_domain::{Lifetime, Timestamp};

/// Waits before the second, third … try; after the last one the work is a dead letter.
pub const WAITS: [Lifetime; 6] = [
    Lifetime::from_secs(5),
    Lifetime::from_secs(30),
    Lifetime::from_minutes(2),
    Lifetime::from_minutes(10),
    Lifetime::from_hours(1),
    Lifetime::from_hours(6),
];

/// Part of a wait that jitter may add, in percent.
const JITTER_PERCENT: u32 = 20;

/// When to try again after so many tries, jittered by a random byte; `None` when it is enough.
pub fn due_at(attempts: u32, now: Timestamp, random: u8) -> Option<Timestamp> {
    let wait = WAITS.get(usize::try_from(attempts.checked_sub(1)?).ok()?)?;
    let jitter = wait.secs() * JITTER_PERCENT * u32::from(random) / (100 * u32::from(u8::MAX));
    Some(now + *wait + Lifetime::from_secs(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let now = Timestamp::from_micros(0);
        let waits: Vec<_> =
            (1..=7).map(|tries| due_at(tries, now, 0).map(Timestamp::seconds)).collect();
        assert_eq!(
            waits,
            [Some(5), Some(30), Some(120), Some(600), Some(3_600), Some(21_600), None]
        );
        assert_eq!(due_at(0, now, 0), None);
    }

    #[test]
    fn jitter_adds_a_fifth_at_most() {
        let now = Timestamp::from_micros(0);
        assert_eq!(due_at(3, now, 255).unwrap().seconds(), 144);
    }
}
