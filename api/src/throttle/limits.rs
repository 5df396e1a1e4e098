//! The limits of all policies.

use std::num::NonZeroU32;
use std::time::Duration;

/// So many requests in so much time; they come back one by one, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests at once, and in a window.
    pub quota: NonZeroU32,
    /// Time in which the whole quota comes back.
    pub window: Duration,
}

/// Limits by policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// Registrations of an address.
    pub register: Rate,
    /// Wishes for a password reset of an address.
    pub password_reset: Rate,
    /// Sign-in and the like, of an address on one route.
    pub auth: Rate,
    /// Other public routes, of an address.
    pub anonymous: Rate,
    /// Everything of one signed-in user.
    pub user: Rate,
    /// Callers that one policy remembers; beyond them it counts whole networks.
    pub keys_max: usize,
}

impl Rate {
    /// A rate by the minute; 0 counts as 1.
    pub const fn per_minute(quota: u32) -> Self {
        Self::new(quota, 60)
    }

    /// A rate by the hour; 0 counts as 1.
    pub const fn per_hour(quota: u32) -> Self {
        Self::new(quota, 3_600)
    }

    const fn new(quota: u32, seconds: u64) -> Self {
        let quota = match NonZeroU32::new(quota) {
            Some(quota) => quota,
            None => NonZeroU32::MIN,
        };
        Self { quota, window: Duration::from_secs(seconds) }
    }

    /// Time until one request comes back.
    pub fn period(self) -> Duration {
        (self.window / self.quota.get()).max(Duration::from_nanos(1))
    }
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            register: Rate::per_minute(3),
            password_reset: Rate::per_hour(5),
            auth: Rate::per_minute(5),
            anonymous: Rate::per_hour(1_000),
            user: Rate::per_hour(1_000),
            keys_max: 100_000,
        }
    }
}
