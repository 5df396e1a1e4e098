//! What the configuration says about throttles.

use keynest_domain::limits::Quotas;

/// Callers that are counted one by one, unless configured otherwise.
pub const KEYS_MAX_DEFAULT: usize = 100_000;

/// Quotas by policy, unless administrators say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// How often callers may try.
    pub quotas: Quotas,
    /// Callers that one process remembers; beyond them it counts whole networks.
    pub keys_max: usize,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self { quotas: Quotas::default(), keys_max: KEYS_MAX_DEFAULT }
    }
}
