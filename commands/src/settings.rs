//! What the configuration says about decisions.

use keynest_crypto::RelyingParty;
use keynest_crypto::password::PASSWORD_CHARS_MIN;
use keynest_domain::Lifetime;
use keynest_domain::challenge;
use keynest_domain::limits::Quotas;
use keynest_domain::login::Lockout;
use keynest_domain::organization::invite_member;
use keynest_domain::session::{self, reauthenticate};
use keynest_domain::user::LinkLimits;

use crate::cache::STATES_MAX_DEFAULT;
use crate::login::{KNOWN_FOR, SPRAYING_ACCOUNTS};

/// Where the product is found if nothing is configured.
const SITE: &str = "http://localhost:8000";
/// Personal tokens of one account.
pub const TOKENS_PER_USER_MAX: usize = 50;
/// Tokens and rules of one organization.
pub const SERVICES_PER_ORGANIZATION_MAX: usize = 100;

/// Limits of the write side; the defaults are those of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long after an authentication sensitive actions are open.
    pub fresh_for: Lifetime,
    /// How long the question for the second factor stands, and a ceremony of an enrolment.
    pub challenge_for: Lifetime,
    /// The site that passkeys are for; `None` where its address cannot have any.
    pub relying_party: Option<RelyingParty>,
    /// How long sessions live.
    pub sessions: session::Lifetimes,
    /// When failed sign-ins lock an address.
    pub lockout: Lockout,
    /// Accounts with a wrong password within ten minutes on one process that are told as an attack; 0: never.
    pub spraying_accounts: u32,
    /// How long a network is known after a session there was last used.
    pub known_network: Lifetime,
    /// How long mailed links are good, and how often they are sent.
    pub links: LinkLimits,
    /// How long invitations are good.
    pub invitation: Lifetime,
    /// Personal tokens of one account that have not expired.
    pub tokens_per_user_max: usize,
    /// Tokens of one organization that have not expired, and its rules for tokens of other issuers.
    pub services_per_organization_max: usize,
    /// Folded aggregates kept in memory.
    pub states_max: u64,
    /// Fewest code points of a password that somebody chooses; [`PASSWORD_CHARS_MIN`] at least.
    pub password_chars_min: usize,
    /// How often callers may do what costs others something, unless administrators say otherwise.
    pub quotas: Quotas,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fresh_for: reauthenticate::FRESH,
            challenge_for: challenge::LIFETIME,
            relying_party: RelyingParty::new(SITE, SITE),
            sessions: session::Lifetimes::default(),
            lockout: Lockout::default(),
            spraying_accounts: SPRAYING_ACCOUNTS,
            known_network: KNOWN_FOR,
            links: LinkLimits::default(),
            invitation: invite_member::LIFETIME,
            tokens_per_user_max: TOKENS_PER_USER_MAX,
            services_per_organization_max: SERVICES_PER_ORGANIZATION_MAX,
            states_max: STATES_MAX_DEFAULT,
            password_chars_min: PASSWORD_CHARS_MIN,
            quotas: Quotas::default(),
        }
    }
}
