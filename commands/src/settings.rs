//! What the configuration says about decisions.

use keynest_domain::Lifetime;
use keynest_domain::session::reauthenticate;

/// Limits of the write side; the defaults are those of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long after an authentication sensitive actions are open.
    pub fresh_for: Lifetime,
}

impl Default for Settings {
    fn default() -> Self {
        Self { fresh_for: reauthenticate::FRESH }
    }
}
