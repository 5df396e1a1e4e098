//! From the configuration to what the API and its listeners are told.

use std::time::Duration;

use anyhow::Context;
use keynest_api::middleware::{CorsOrigins, Metrics, Proxies};
use keynest_api::server::{ServerLimits, ServerOptions};
use keynest_api::throttle::ThrottleLimits;
use keynest_api::{EdgeSettings, ExchangeSettings, FeedLimits, Settings, TokenSettings};
use keynest_domain::Lifetime;
use keynest_domain::limits::{Policy, Quotas};

use crate::config::Config;
use crate::oauth::oauth;

/// What answers depend on.
pub fn settings(config: &Config) -> Settings {
    Settings {
        public_url: config.public.url.as_str().to_owned(),
        frontend_url: config.frontend.url.as_ref().map(|url| url.as_str().to_owned()),
        access_token: Lifetime::from_minutes(config.sessions.access_token_minutes),
        page_size: config.lists.page_size,
        page_size_max: config.lists.page_size_max,
        visible_wait: Duration::from_millis(config.projections.visible_wait_ms),
        import_bytes_max: usize::try_from(config.http.import_bytes_max).unwrap_or(usize::MAX),
        feed: feed(config),
        oauth: oauth(config),
        tokens: TokenSettings {
            lifetime_days: config.tokens.lifetime_days,
            lifetime_days_max: config.tokens.lifetime_days_max,
        },
        exchange: ExchangeSettings { issuers: config.exchange.issuers.clone() },
        throttles: throttles(config),
        has_smtp: config.smtp.url.is_set(),
    }
}

fn feed(config: &Config) -> FeedLimits {
    let feed = &config.feed;
    FeedLimits {
        readers_max: feed.readers_max,
        readers_per_caller_max: feed.readers_per_caller_max,
        page_size: feed.page_size,
        page_size_max: feed.page_size_max,
        page_bytes_max: feed.page_bytes_max,
        scan_max: feed.scan_max,
        looks_max: feed.looks_max,
        wait_max: Duration::from_secs(feed.wait_seconds_max.into()),
        heartbeat: Duration::from_secs(feed.heartbeat_seconds.into()),
        retry: Duration::from_millis(feed.retry_ms),
    }
}

/// What the edge around the routes is told.
pub fn edge_settings(config: &Config, metrics: Metrics) -> anyhow::Result<EdgeSettings> {
    let origins = config.http.cors_origins.iter().map(|origin| origin.as_str().to_owned());
    Ok(EdgeSettings {
        origins: CorsOrigins::parse(origins).context("read http.cors_origins")?,
        proxies: Proxies { trusted: config.http.trusted_proxies.clone(), ..Proxies::default() },
        request_timeout: Duration::from_millis(config.http.request_timeout_ms),
        has_operations: config.http.metrics_listen.is_none(),
        metrics: Some(metrics),
    })
}

/// What a listener is told.
pub fn server_options(config: &Config) -> ServerOptions {
    let http = &config.http;
    let millis = Duration::from_millis;
    let limits = ServerLimits {
        connections_max: http.connections_max,
        connections_per_address_max: http.connections_per_address_max,
        first_byte: millis(http.first_byte_timeout_ms),
        header: millis(http.header_timeout_ms),
        idle: millis(http.idle_timeout_ms),
        body_stall: millis(http.body_timeout_ms),
        head_bytes_max: usize::try_from(http.header_bytes_max).unwrap_or(usize::MAX),
        body_bytes_max: http.body_bytes_max,
        drain: millis(http.drain_timeout_ms),
        ..ServerLimits::default()
    };
    ServerOptions { limits, authorities: Vec::new(), uncounted: http.trusted_proxies.clone() }
}

fn throttles(config: &Config) -> ThrottleLimits {
    ThrottleLimits { quotas: quotas(config), keys_max: config.throttle.callers_max }
}

/// How often callers may do what costs others something.
pub fn quotas(config: &Config) -> Quotas {
    let throttle = &config.throttle;
    Quotas::default()
        .with(Policy::Register, throttle.register_per_minute)
        .with(Policy::PasswordReset, throttle.password_reset_per_hour)
        .with(Policy::Auth, throttle.auth_per_minute)
        .with(Policy::SignIn, throttle.sign_in_per_minute)
        .with(Policy::User, throttle.user_per_hour)
        .with(Policy::Token, throttle.token_per_hour)
        .with(Policy::Organization, throttle.organization_per_hour)
        .with(Policy::Anonymous, throttle.anonymous_per_hour)
        .with(Policy::MailsHourly, throttle.mails_per_hour)
        .with(Policy::MailsDaily, throttle.mails_per_day)
        .with(Policy::Invitations, throttle.invitations_per_day)
}
