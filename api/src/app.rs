//! The whole state of the API, cloned per request.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use keynest_commands::Commands;
use keynest_crypto::{
    ACCESS_TOKEN_LIFETIME, AccessTokens, Cursors, Links, MachineTokens, RefreshTokens,
};
use keynest_domain::Lifetime;
use keynest_projections::{Projections, Queries, Visibility};
use keynest_store::quota::QuotaTable;
use keynest_store::{IdempotencyTable, SessionUses, TokenUses};
use tokio_util::sync::CancellationToken;

use crate::auth::{Issuers, Revocations};
use crate::events::{FeedLimits, Seats};
use crate::oauth::{OAuthSettings, Providers};
use crate::outgoing::Outgoing;
use crate::pages::DevMailbox;
use crate::throttle::{Throttle, ThrottleLimits};

/// How long a command's answer waits for its read models (DESIGN 6).
pub const VISIBLE_WAIT_DEFAULT: Duration = Duration::from_secs(2);
/// The `aud` of access tokens.
const AUDIENCE: &str = "keynest";
/// Items on a page when the caller does not say (R3).
pub const PAGE_SIZE_DEFAULT: u32 = 1_000;
/// Items on a page at most.
pub const PAGE_SIZE_MAX: u32 = 1_000;

/// Everything that a handler may use. Middleware, routes and extractors each clone it for every request, so a clone is one
/// count (docs/decisions/0120-one-count-for-the-state.md).
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of [`App`].
#[derive(Clone)]
pub struct Parts {
    pub commands: Commands,
    pub queries: Queries,
    pub projections: Projections,
    pub visibility: Visibility,
    pub tokens: AccessTokens,
    /// Of services that signed in with another issuer's token.
    pub machine_tokens: MachineTokens,
    /// Whose tokens may be exchanged, and their keys.
    pub issuers: Issuers,
    /// When tokens were last used.
    pub token_uses: TokenUses,
    pub refresh_tokens: RefreshTokens,
    pub links: Links,
    pub cursors: Cursors,
    pub revocations: Revocations,
    pub idempotency: IdempotencyTable,
    /// When sessions were last used.
    pub session_uses: SessionUses,
    pub throttle: Throttle,
    /// HTTP that is sent; none without roots for TLS.
    pub outgoing: Option<Outgoing>,
    /// Identity providers that are switched on.
    pub providers: Providers,
    /// Who waits for events.
    pub feed_seats: Seats,
    pub settings: Arc<Settings>,
    /// Mails that stay here, when no SMTP server is configured.
    pub mailbox: Option<Arc<dyn DevMailbox>>,
    /// Cancelled when the process was asked to stop: it is not ready any more.
    pub leave: CancellationToken,
}

impl App {
    /// Puts the API together. Nobody is let in before `revocations.start` has run.
    pub fn new(
        commands: Commands,
        queries: Queries,
        projections: Projections,
        idempotency: IdempotencyTable,
        settings: Settings,
        mailbox: Option<Arc<dyn DevMailbox>>,
    ) -> Self {
        let keyring = commands.keyring().clone();
        let outgoing = outgoing(&settings);
        let providers = Providers::new(&settings.oauth, outgoing.as_ref());
        Self(Arc::new(Parts {
            tokens: AccessTokens::new(keyring.clone(), &settings.public_url, AUDIENCE)
                .with_lifetime(settings.access_token),
            machine_tokens: MachineTokens::new(keyring.clone(), &settings.public_url),
            issuers: Issuers::new(&settings.exchange, outgoing.as_ref()),
            token_uses: commands.store().token_uses(),
            refresh_tokens: RefreshTokens::new(keyring.clone()),
            links: Links::new(keyring.clone()),
            cursors: Cursors::new(keyring),
            visibility: projections.visibility().clone(),
            revocations: Revocations::default(),
            session_uses: SessionUses::beside(commands.store()),
            throttle: Throttle::new(&settings.throttles, commands.clock().clone()),
            outgoing,
            providers,
            feed_seats: Seats::new(&settings.feed),
            settings: Arc::new(settings),
            commands,
            queries,
            projections,
            idempotency,
            mailbox,
            leave: CancellationToken::new(),
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What needs it is switched off without it.
fn outgoing(settings: &Settings) -> Option<Outgoing> {
    match Outgoing::new(settings.oauth.outgoing.clone()) {
        Ok(outgoing) => Some(outgoing),
        Err(error) => {
            tracing::warn!(%error, "outgoing HTTP is off");
            None
        }
    }
}

impl App {
    /// With one budget for all processes where it matters.
    #[must_use]
    pub fn sharing(mut self, quotas: QuotaTable) -> Self {
        let (clock, keyring) = (self.commands.clock().clone(), self.commands.keyring().clone());
        let throttle = Throttle::shared(&self.settings.throttles, clock, quotas, keyring);
        Arc::make_mut(&mut self.0).throttle = throttle;
        self
    }
}

impl App {
    /// Not ready from the time when this is cancelled.
    #[must_use]
    pub fn leaving(mut self, leave: CancellationToken) -> Self {
        Arc::make_mut(&mut self.0).leave = leave;
        self
    }
}

/// What the configuration says about answers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port under which clients reach the API; no trailing slash. Makes every absolute link.
    pub public_url: String,
    /// Origin of the frontend, for links in mails; the API's own pages if `None`.
    pub frontend_url: Option<String>,
    /// How long access tokens are good.
    pub access_token: Lifetime,
    /// Items on a page when the caller does not say.
    pub page_size: u32,
    /// Items on a page at most.
    pub page_size_max: u32,
    /// How long a command's answer waits for its read models.
    pub visible_wait: Duration,
    /// Largest file of an import, in bytes.
    pub import_bytes_max: usize,
    /// How long personal and service tokens live.
    pub tokens: TokenSettings,
    /// Whose tokens may be exchanged.
    pub exchange: ExchangeSettings,
    /// How often callers may try.
    pub throttles: ThrottleLimits,
    /// The event feed.
    pub feed: FeedLimits,
    /// Identity providers.
    pub oauth: OAuthSettings,
    /// Whether mails reach people or the development mailbox.
    pub has_smtp: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:8000".to_owned(),
            frontend_url: None,
            access_token: ACCESS_TOKEN_LIFETIME,
            page_size: PAGE_SIZE_DEFAULT,
            page_size_max: PAGE_SIZE_MAX,
            visible_wait: VISIBLE_WAIT_DEFAULT,
            import_bytes_max: 10 * 1024 * 1024,
            tokens: TokenSettings::default(),
            exchange: ExchangeSettings::default(),
            throttles: ThrottleLimits::default(),
            feed: FeedLimits::default(),
            oauth: OAuthSettings::default(),
            has_smtp: false,
        }
    }
}

/// How long personal and service tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// If whoever makes one does not say, in days.
    pub lifetime_days: u32,
    /// At most, in days.
    pub lifetime_days_max: u32,
}

/// Whose tokens may be exchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeSettings {
    /// Issuers that the rules of organizations may name, spelled as in `iss`.
    pub issuers: Vec<String>,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { lifetime_days: 90, lifetime_days_max: 366 }
    }
}

impl Settings {
    /// Where the links in mails lead: the frontend, or the API's own pages.
    pub fn site(&self) -> &str {
        self.frontend_url.as_deref().unwrap_or(&self.public_url)
    }
}
