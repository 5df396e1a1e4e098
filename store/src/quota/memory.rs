//! Counters of one process, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keynest_domain::Timestamp;
use keynest_domain::limits::Quota;

use super::QuotaKey;
use super::window::{SLOTS, Taken, Window, micros};

/// Parts that are locked one by one.
const SHARDS: usize = 16;
/// Whom all share of whom there is no room for anybody else.
const ANYBODY: [u8; 16] = [0; 16];

/// Counters of at most so many callers. Who is back at a whole quota is forgotten; beyond the limit coarse keys are counted,
/// and beyond twice the limit all newcomers together.
#[derive(Clone, Debug)]
pub struct MemoryQuotas(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    keys_max: usize,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

type Key = (&'static str, [u8; 16]);

#[derive(Debug, Default)]
struct Shard {
    counters: HashMap<Key, (Window, Quota)>,
    /// Not looked for silent callers before this.
    prune_at: i64,
}

impl MemoryQuotas {
    /// Room for so many callers.
    pub fn new(keys_max: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self(Arc::new(Shared { keys_max, hasher: RandomState::new(), shards }))
    }

    /// Counts one if there is room, and says how it stands.
    pub fn take(&self, policy: &'static str, key: QuotaKey, quota: Quota, now: Timestamp) -> Taken {
        let share = (self.0.keys_max / SHARDS).max(1);
        for (key, room) in [(key.fine, share), (key.coarse, share * 2), (ANYBODY, usize::MAX)] {
            let key = (policy, key);
            let mut shard = self.shard(key);
            if let Some(taken) = shard.take(key, room, quota, now) {
                return taken;
            }
            tracing::debug!(policy, "too many callers to count them one by one");
        }
        unreachable_room(quota)
    }

    /// Callers that are remembered.
    pub fn len(&self) -> usize {
        self.0.shards.iter().map(|shard| lock(shard).counters.len()).sum()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        let hash = self.0.hasher.hash_one(key);
        let at = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        lock(&self.0.shards[at])
    }
}

impl Shard {
    /// `None`: there is no room for a caller who is not there yet.
    fn take(&mut self, key: Key, room: usize, quota: Quota, now: Timestamp) -> Option<Taken> {
        if self.counters.len() >= room && !self.counters.contains_key(&key) {
            self.prune(quota, now);
        }
        let is_full = self.counters.len() >= room;
        match self.counters.entry(key) {
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(entry) => {
                let (window, _) = entry.insert((Window::default(), quota));
                Some(window.take(quota, now))
            }
            Entry::Occupied(mut entry) => {
                let (window, last) = entry.get_mut();
                *last = quota;
                Some(window.take(quota, now))
            }
        }
    }

    /// Forgets who is silent, once in a slot of the shortest window that asks.
    fn prune(&mut self, quota: Quota, now: Timestamp) {
        if now.micros() < self.prune_at {
            return;
        }
        self.prune_at = now.micros() + micros(quota) / SLOTS;
        self.counters.retain(|_, (window, quota)| !window.is_over(*quota, now));
    }
}

/// There is always room for anybody; this is what would be answered otherwise.
fn unreachable_room(quota: Quota) -> Taken {
    Taken { is_within: false, remaining: 0, reset_seconds: quota.window_seconds }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn key(number: u128) -> QuotaKey {
        let coarse = (number >> 16) | (1 << 127);
        QuotaKey { fine: number.to_be_bytes(), coarse: coarse.to_be_bytes() }
    }

    #[test]
    fn a_flood_of_callers_is_counted_in_bounded_memory_and_those_who_are_known_keep_their_count() {
        let quotas = MemoryQuotas::new(1_600);
        let five = Quota::new(5, 60);
        (0..5).for_each(|_| assert!(quotas.take("auth", key(7), five, at(0)).is_within));
        let let_in = (1_000..201_000u128)
            .filter(|number| quotas.take("auth", key(*number), five, at(1)).is_within)
            .count();
        assert!(quotas.len() <= 2 * 1_600 + SHARDS, "{} callers remembered", quotas.len());
        assert!(let_in < 4_000, "{let_in} of the flood were let in");
        assert!(!quotas.take("auth", key(7), five, at(2)).is_within, "the known one is still full");
        assert!(quotas.take("auth", key(500_000), five, at(120)).is_within, "the flood is over");
        for number in 1..=2_000u128 {
            assert!(quotas.take("auth", key(number << 16), five, at(240)).is_within);
        }
        assert!(quotas.len() <= 2_000 + SHARDS, "the silent ones are forgotten: {}", quotas.len());
    }

    #[test]
    fn policies_and_callers_do_not_share() {
        let quotas = MemoryQuotas::new(100);
        let one = Quota::new(1, 60);
        assert!(quotas.take("auth", key(1), one, at(0)).is_within);
        assert!(quotas.take("register", key(1), one, at(0)).is_within);
        assert!(quotas.take("auth", key(2), one, at(0)).is_within);
        assert!(!quotas.take("auth", key(1), one, at(0)).is_within);
    }
}
