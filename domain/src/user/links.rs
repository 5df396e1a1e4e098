//! Mailed links: how long they are good, and how often a stranger can have one sent.

use crate::Lifetime;

/// How long an activation link is good, where the configuration does not say (CONTRACT 4.3).
pub const ACTIVATION_LIFETIME: Lifetime = Lifetime::from_hours(24);
/// How long a reset link is good, where the configuration does not say.
pub const RESET_LIFETIME: Lifetime = Lifetime::from_minutes(30);
/// Between two activation mails that somebody asks for.
pub const RESEND_INTERVAL: Lifetime = Lifetime::from_minutes(1);
/// Between two reset mails of one account.
pub const RESET_INTERVAL: Lifetime = Lifetime::from_minutes(1);
/// How long both sides have to confirm a change of address.
pub const EMAIL_CHANGE_LIFETIME: Lifetime = Lifetime::from_hours(24);
/// How long the owner of the old address can take it back.
pub const EMAIL_UNDO_LIFETIME: Lifetime = Lifetime::from_days(3);
/// Changes that an account may ask for in [`EMAIL_CHANGES_WINDOW`], so that it cannot flood strangers with mails.
pub const EMAIL_CHANGES_MAX: u32 = 5;
/// The span in which they are counted, from the first on.
pub const EMAIL_CHANGES_WINDOW: Lifetime = Lifetime::from_hours(24);
/// Between two mails that tell of a repeated registration, which anybody can cause.
pub const REPEATED_INTERVAL: Lifetime = Lifetime::from_hours(1);

/// The limits above as the operator sets them: an argument of the decisions. The log holds when each link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimits {
    /// How long an activation link is good.
    pub activation: Lifetime,
    /// How long a reset link is good.
    pub password_reset: Lifetime,
    /// Between two activation mails.
    pub activation_interval: Lifetime,
    /// Between two reset mails.
    pub password_reset_interval: Lifetime,
    /// Between two mails that tell of a repeated registration.
    pub repeated_interval: Lifetime,
    /// How long both sides have to confirm a change of address.
    pub email_change: Lifetime,
    /// How long the owner of the old address can take it back.
    pub email_undo: Lifetime,
    /// Changes of address that an account may ask for in [`EMAIL_CHANGES_WINDOW`].
    pub email_changes_max: u32,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            activation: ACTIVATION_LIFETIME,
            password_reset: RESET_LIFETIME,
            activation_interval: RESEND_INTERVAL,
            password_reset_interval: RESET_INTERVAL,
            repeated_interval: REPEATED_INTERVAL,
            email_change: EMAIL_CHANGE_LIFETIME,
            email_undo: EMAIL_UNDO_LIFETIME,
            email_changes_max: EMAIL_CHANGES_MAX,
        }
    }
}
