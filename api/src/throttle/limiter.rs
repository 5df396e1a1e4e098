//! One policy over all its callers.

use std::hash::Hash;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::limits::Rate;
use super::standing::Standing;
use crate::Problem;
use crate::middleware::RequestNotes;
use crate::server::AddressBlock;

/// Requests between two looks at the size of the table.
const CHECKS_PER_PRUNE: u32 = 512;

/// What can be counted, and what stands for it when there is too much to remember.
pub trait Key: Clone + Eq + Hash {
    /// A key that many share.
    fn coarse(&self) -> Self;
    /// The key that all share.
    fn only() -> Self;
}

/// How full the table is.
const ROOMY: u8 = 0;
const CROWDED: u8 = 1;
const FULL: u8 = 2;

/// The counters of one policy. Callers who are back at their whole quota are forgotten from time to time. With
/// more than `keys_max` of the others, whole networks are counted; with twice as many, all together.
pub struct Limiter<K: Key, C: Clock = DefaultClock> {
    policy: &'static str,
    rate: Rate,
    keys_max: usize,
    clock: C,
    checks: AtomicU32,
    crowding: AtomicU8,
    counters: RateLimiter<K, DefaultKeyedStateStore<K>, C, StateInformationMiddleware>,
}

impl<K: Key> Limiter<K> {
    pub fn new(policy: &'static str, rate: Rate, keys_max: usize) -> Self {
        Self::with_clock(policy, rate, keys_max, DefaultClock::default())
    }
}

impl<K: Key, C: Clock + Clone> Limiter<K, C> {
    fn with_clock(policy: &'static str, rate: Rate, keys_max: usize, clock: C) -> Self {
        let quota = Quota::with_period(rate.period())
            .expect("a period is never zero")
            .allow_burst(rate.quota);
        let counters = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        let (checks, crowding) = (AtomicU32::new(0), AtomicU8::new(ROOMY));
        Self { policy, rate, keys_max, clock, checks, crowding, counters }
    }

    /// Counts one request of this caller, or refuses it.
    pub fn take(&self, key: &K, notes: Option<&RequestNotes>) -> Result<(), Problem> {
        let (standing, wait) = self.count(key);
        if let Some(notes) = notes {
            notes.add_standing(standing);
        }
        wait.map_or(Ok(()), |seconds| {
            metrics::counter!("keynest_http_throttled_total", "policy" => self.policy).increment(1);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            let detail = format!("Too many requests. Try again in {seconds} s.");
            Err(Problem::new("throttled").detail(detail).retry_after(seconds))
        })
    }

    /// The counters after this request; seconds to wait if it is one too many.
    fn count(&self, key: &K) -> (Standing, Option<u64>) {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECKS_PER_PRUNE) {
            self.prune();
        }
        let outcome = match self.crowding.load(Ordering::Relaxed) {
            ROOMY => self.counters.check_key(key),
            CROWDED => self.counters.check_key(&key.coarse()),
            _ => self.counters.check_key(&K::only()),
        };
        match outcome {
            Ok(state) => {
                let period = seconds_up(self.rate.period());
                (self.standing(state.remaining_burst_capacity(), period), None)
            }
            Err(refusal) => {
                let wait = seconds_up(refusal.wait_time_from(self.clock.now())).max(1);
                (self.standing(0, wait), Some(wait))
            }
        }
    }

    fn standing(&self, remaining: u32, reset: u64) -> Standing {
        let (quota, window) = (self.rate.quota.get(), self.rate.window.as_secs());
        Standing { policy: self.policy, quota, window, remaining, reset }
    }

    fn prune(&self) {
        self.counters.retain_recent();
        let there = self.counters.len();
        let crowding = match there {
            _ if there < self.keys_max => ROOMY,
            _ if there < self.keys_max.saturating_mul(2) => CROWDED,
            _ => FULL,
        };
        if self.crowding.swap(crowding, Ordering::Relaxed) != crowding {
            tracing::warn!(
                policy = self.policy,
                crowding,
                "throttle counts in coarser or finer groups now"
            );
        }
    }
}

impl Key for AddressBlock {
    fn coarse(&self) -> Self {
        Self::coarse(*self)
    }

    fn only() -> Self {
        Self::of(std::net::Ipv4Addr::UNSPECIFIED.into())
    }
}

/// An address on one route, which is there as a hash.
impl Key for (AddressBlock, u64) {
    fn coarse(&self) -> Self {
        (self.0.coarse(), self.1)
    }

    fn only() -> Self {
        (AddressBlock::only(), 0)
    }
}

/// A user; there are only as many as have signed up, so that no group is needed before the last.
impl Key for i64 {
    fn coarse(&self) -> Self {
        *self
    }

    fn only() -> Self {
        0
    }
}

fn seconds_up(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(keys_max: usize) -> (Limiter<AddressBlock, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::with_clock("auth", Rate::per_minute(5), keys_max, clock.clone()), clock)
    }

    fn address(number: u32) -> AddressBlock {
        AddressBlock::of(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn the_counters_are_true_and_the_quota_comes_back() {
        let (limiter, clock) = limiter(10);
        for remaining in [4, 3, 2, 1, 0] {
            let (standing, wait) = limiter.count(&address(1));
            assert_eq!((standing.remaining, standing.reset, wait), (remaining, 12, None));
        }
        clock.advance(Duration::from_millis(2_500));
        let (standing, wait) = limiter.count(&address(1));
        assert_eq!((standing.remaining, standing.reset, wait), (0, 10, Some(10)));
        assert_eq!(limiter.count(&address(2)).1, None, "another caller is not affected");
        clock.advance(Duration::from_secs(10));
        assert_eq!(limiter.count(&address(1)).1, None);
        assert!(limiter.count(&address(1)).1.is_some());
    }

    #[test]
    fn memory_is_bounded_and_old_callers_are_forgotten() {
        let (limiter, clock) = limiter(1_000);
        for number in 0..50_000 {
            limiter.count(&address(number << 8));
        }
        let bound = 2 * 1_000 + 2 * CHECKS_PER_PRUNE as usize;
        assert!(limiter.counters.len() <= bound, "{} callers remembered", limiter.counters.len());
        // A window, and a period more until governor takes them for forgotten.
        clock.advance(Duration::from_secs(75));
        limiter.prune();
        assert_eq!(limiter.counters.len(), 0);
    }
}
