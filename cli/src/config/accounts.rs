//! Keys about accounts: how people and programs sign in, how long that lasts, and how often they may ask.

use keynest_domain::limits::Policy;
use keynest_domain::provider::SCOPES_USUAL;
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::section::section;
use super::text::WebOrigin;

section! {
    /// How long a sign-in lasts.
    Sessions {
        access_token_minutes: u32 = 60,
        /// Without a refresh.
        idle_hours: u32 = 7 * 24,
        /// From the sign-in on.
        absolute_hours: u32 = 30 * 24,
        /// How long a replaced refresh token answers once more, for clients that lost its successor.
        refresh_grace_seconds: u32 = 10,
        /// How long after a proof of identity sensitive actions are open.
        fresh_seconds: u32 = 300,
        /// How long the question for the second factor stands, and the ceremony of an enrolment.
        challenge_seconds: u32 = 300,
    }
}

section! {
    /// What follows wrong passwords.
    Lockout {
        /// Failures of one address after which it is locked.
        failures_max: u32 = 5,
        /// The first lock; each further one lasts twice as long.
        cool_off_seconds: u32 = 60,
        /// The longest lock.
        cool_off_max_seconds: u32 = 3_600,
        /// Accounts with a wrong password within ten minutes on one process that are told as an attack; 0: never.
        spraying_accounts: u32 = 50,
        /// How long a network counts as its owner's after a session there was last used.
        known_network_hours: u32 = 30 * 24,
    }
}

section! {
    /// Personal and service tokens.
    Tokens {
        /// If whoever makes one does not say.
        lifetime_days: u32 = 90,
        lifetime_days_max: u32 = 366,
        /// Personal tokens of one account that have not expired.
        per_user_max: usize = 50,
        /// Tokens of one organization that have not expired, and its rules for tokens of other issuers.
        per_organization_max: usize = 100,
    }
}

section! {
    /// Tokens of other issuers, exchanged for access tokens by rules of organizations.
    Exchange {
        /// Issuers that rules may name, spelled as in `iss`. None: nothing is exchanged.
        issuers: Vec<String> = Vec::new(),
    }
}

section! {
    /// Links in mails.
    Links {
        activation_hours: u32 = 24,
        password_reset_minutes: u32 = 30,
        invitation_hours: u32 = 7 * 24,
        /// Between two activation mails to one account.
        activation_interval_seconds: u32 = 60,
        /// Between two reset mails to one account.
        password_reset_interval_seconds: u32 = 60,
        /// Between two mails that tell an owner of another registration with the address.
        repeated_registration_interval_seconds: u32 = 3_600,
        /// How long both sides have to confirm a change of address.
        email_change_hours: u32 = 24,
        /// How long the owner of the old address can take it back.
        email_undo_hours: u32 = 72,
        /// Changes of address that an account may ask for in 24 hours.
        email_changes_max: u32 = 5,
    }
}

section! {
    /// Sign-in with identity providers. One with a blank or unusable part is switched off, and the log says so.
    OAuth {
        google_client_id: String = String::new(),
        google_client_secret: Secret = Secret::default(),
        github_client_id: String = String::new(),
        github_client_secret: Secret = Secret::default(),
        /// Another address for a GitHub Enterprise server.
        github_url: String = "https://github.com".to_owned(),
        github_api_url: String = "https://api.github.com".to_owned(),
        /// Further OpenID Connect providers.
        providers: Vec<OidcProvider> = Vec::new(),
        /// Origins of providers that may be asked by plain HTTP and at private addresses.
        internal_origins: Vec<WebOrigin> = Vec::new(),
        /// Until a provider's answer has arrived whole.
        timeout_ms: u64 = 10_000,
    }
}

section! {
    /// An OpenID Connect provider: an item of `oauth.providers`.
    OidcProvider {
        /// Its place in addresses: lower-case letters, digits and hyphens. Never give it to another issuer.
        name: String = String::new(),
        /// What its button says. Blank: the name.
        title: String = String::new(),
        /// Exactly as the provider writes it.
        issuer: String = String::new(),
        client_id: String = String::new(),
        client_secret: Secret = Secret::default(),
        scopes: Vec<String> = SCOPES_USUAL.map(str::to_owned).to_vec(),
        /// Further hosts that the issuer's own document names.
        origins: Vec<String> = Vec::new(),
    }
}

section! {
    /// How often one caller may do what costs others something; 0: as often as they like. Administrators can change it while
    /// KeyNest runs.
    Throttle {
        register_per_minute: u32 = usual(Policy::Register),
        password_reset_per_hour: u32 = usual(Policy::PasswordReset),
        auth_per_minute: u32 = usual(Policy::Auth),
        sign_in_per_minute: u32 = usual(Policy::SignIn),
        user_per_hour: u32 = usual(Policy::User),
        token_per_hour: u32 = usual(Policy::Token),
        organization_per_hour: u32 = usual(Policy::Organization),
        anonymous_per_hour: u32 = usual(Policy::Anonymous),
        mails_per_hour: u32 = usual(Policy::MailsHourly),
        mails_per_day: u32 = usual(Policy::MailsDaily),
        invitations_per_day: u32 = usual(Policy::Invitations),
        /// Callers that are counted at a time; beyond them whole networks are counted.
        callers_max: usize = 100_000,
    }
}

section! {
    /// The cost of hashing a password (Argon2id) and the pool that does it.
    Password {
        memory_kib: u32 = 19_456,
        iterations: u32 = 2,
        threads: usize = 2,
        /// Hashes that wait for a thread; more are refused with 503.
        queue_max: usize = 64,
        /// Fewest characters of a password that somebody chooses.
        length_min: usize = 8,
    }
}

const fn usual(policy: Policy) -> u32 {
    policy.default_quota().quota
}
