//! The counters behind all policies, and the quotas that hold now.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use keynest_commands::Clock;
use keynest_crypto::Keyring;
use keynest_domain::limits::{Event, Limits, Policy, Quota, Quotas};
use keynest_domain::{Aggregate, OrganizationId};
use keynest_store::quota::{MemoryQuotas, QuotaKey, QuotaTable, Taken};

use super::{Standing, ThrottleLimits};
use crate::Problem;
use crate::middleware::RequestNotes;
use crate::server::AddressBlock;

/// Counters and quotas.
pub struct Counters {
    configured: Quotas,
    changed: RwLock<Arc<Limits>>,
    clock: Clock,
    memory: MemoryQuotas,
    /// Keyed anew in each process, so that nobody can choose callers that collide.
    hashers: [RandomState; 2],
    shared: Option<(QuotaTable, Keyring)>,
}

/// Who is counted, and with whom where there are too many to count one by one.
pub struct Who {
    fine: String,
    coarse: String,
}

impl Who {
    /// Somebody of whom there are only as many as have signed up.
    pub fn one(id: &str) -> Self {
        Self { fine: id.to_owned(), coarse: "all".to_owned() }
    }

    /// What is done from an address.
    pub fn at(what: &str, block: AddressBlock) -> Self {
        let text = |block: AddressBlock| format!("{what} {block}");
        Self { fine: text(block), coarse: text(block.coarse()) }
    }
}

impl Counters {
    pub fn new(
        limits: &ThrottleLimits,
        clock: Clock,
        shared: Option<(QuotaTable, Keyring)>,
    ) -> Self {
        Self {
            configured: limits.quotas,
            changed: RwLock::default(),
            clock,
            memory: MemoryQuotas::new(limits.keys_max),
            hashers: [RandomState::new(), RandomState::new()],
            shared,
        }
    }

    pub fn configured(&self) -> &Quotas {
        &self.configured
    }

    pub fn changed(&self) -> Arc<Limits> {
        Arc::clone(&self.changed.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn replace(&self, limits: Arc<Limits>) {
        *self.changed.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Folds a change; folding it twice changes nothing.
    pub fn apply(&self, event: &Event) {
        let mut changed = self.changed.write().unwrap_or_else(PoisonError::into_inner);
        *changed = Arc::new(Limits::clone(&changed).evolve(event));
    }

    /// Counts in this process, or refuses.
    pub fn take(
        &self,
        policy: Policy,
        organization: Option<OrganizationId>,
        who: &Who,
        notes: Option<&RequestNotes>,
    ) -> Result<(), Problem> {
        verdict(policy, self.count(policy, organization, who, notes))
    }

    /// Counts in this process and in all of them, or refuses. Who is refused here is not looked up there, and where the
    /// table cannot be reached, this process goes by its own count.
    pub async fn take_shared(
        &self,
        policy: Policy,
        who: &Who,
        notes: Option<&RequestNotes>,
    ) -> Result<(), Problem> {
        let quota = self.quota(policy, None);
        let Some((table, keyring)) = &self.shared else {
            return self.take(policy, None, who, notes);
        };
        let Some(mut taken) = self.count(policy, None, who, None) else { return Ok(()) };
        if taken.is_within {
            let key = shared_key(keyring, who);
            match table.take(policy.name(), key, quota, self.clock.now()).await {
                Ok(shared) => taken = shared,
                Err(error) => tracing::warn!(%error, "quotas are counted in this process alone"),
            }
        }
        note(policy, quota, taken, notes);
        verdict(policy, Some(taken))
    }

    /// `None`: this policy is switched off.
    pub fn count(
        &self,
        policy: Policy,
        organization: Option<OrganizationId>,
        who: &Who,
        notes: Option<&RequestNotes>,
    ) -> Option<Taken> {
        let quota = self.quota(policy, organization);
        if quota.quota == 0 {
            return None;
        }
        let taken = self.memory.take(policy.name(), self.key(who), quota, self.clock.now());
        note(policy, quota, taken, notes);
        Some(taken)
    }

    fn quota(&self, policy: Policy, organization: Option<OrganizationId>) -> Quota {
        let changed = self.changed.read().unwrap_or_else(PoisonError::into_inner);
        changed.quota(policy, organization, &self.configured)
    }

    fn key(&self, who: &Who) -> QuotaKey {
        let key = |text: &str| {
            let mut key = [0; 16];
            let (left, right) = key.split_at_mut(8);
            left.copy_from_slice(&self.hashers[0].hash_one(text).to_be_bytes());
            right.copy_from_slice(&self.hashers[1].hash_one(text).to_be_bytes());
            key
        };
        QuotaKey { fine: key(&who.fine), coarse: key(&who.coarse) }
    }
}

/// The same in every process, and meaningless without the key.
fn shared_key(keyring: &Keyring, who: &Who) -> QuotaKey {
    let key = |text: &str| {
        let digest = keyring.digest("quota", text);
        let half = u128::from_str_radix(&digest[..32], 16);
        half.expect("a digest is 64 hexadecimal digits").to_be_bytes()
    };
    QuotaKey { fine: key(&who.fine), coarse: key(&who.coarse) }
}

fn note(policy: Policy, quota: Quota, taken: Taken, notes: Option<&RequestNotes>) {
    let Some(notes) = notes else { return };
    notes.add_standing(Standing {
        policy: policy.name(),
        quota: quota.quota,
        window: quota.window_seconds,
        remaining: taken.remaining,
        reset: taken.reset_seconds,
    });
}

fn verdict(policy: Policy, taken: Option<Taken>) -> Result<(), Problem> {
    match taken {
        Some(taken) if !taken.is_within => {
            metrics::counter!("keynest_http_throttled_total", "policy" => policy.name())
                .increment(1);
            Err(Problem::throttled(policy, taken.reset_seconds))
        }
        Some(_) | None => Ok(()),
    }
}
