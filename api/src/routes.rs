//! All routes, and the edge around them.

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use keynest_domain::RequestId;
use time::OffsetDateTime;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::middleware::{
    Clock, CorsOrigins, Edge, EdgeConfig, Metrics, Proxies, REQUEST_TIMEOUT_DEFAULT,
};
use crate::throttle::Throttle;
use crate::{App, auth, core, health, idempotency, min_position, openapi, pages};

/// What the configuration says about the edge.
#[derive(Clone)]
pub struct EdgeSettings {
    /// Who may read answers in a browser.
    pub origins: CorsOrigins,
    /// Who may tell the client's address.
    pub proxies: Proxies,
    /// Until an answer begins.
    pub request_timeout: Duration,
    /// Whether `/metrics` and `/health/ready` are served here, and not on a listener of their own.
    pub has_operations: bool,
    /// What `/metrics` shows.
    pub metrics: Option<Metrics>,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            origins: CorsOrigins::default(),
            proxies: Proxies::default(),
            request_timeout: REQUEST_TIMEOUT_DEFAULT,
            has_operations: true,
            metrics: None,
        }
    }
}

/// The documented routes and their description.
pub fn documented(throttle: &Throttle) -> (Router<App>, OpenApi) {
    let (routes, document) = OpenApiRouter::with_openapi(openapi::base())
        .nest("/api/auth", auth::router(throttle))
        .nest("/api/auth", core::accept_invitation::router())
        .nest("/api/core", core::router())
        .merge(core::index_router())
        .merge(health::router())
        .merge(auth::well_known_router())
        .split_for_parts();
    (routes, openapi::complete(document))
}

/// The whole product: give it to `server::serve`.
pub fn edge(app: App, settings: &EdgeSettings) -> Edge {
    let (routes, document) = documented(&app.throttle);
    // Routes come first, so that the layers know which one it is; the last layer is the outermost.
    let mut routes = routes
        .route_layer(from_fn_with_state(app.clone(), core::record_refusals))
        .route_layer(from_fn_with_state(app.clone(), idempotency::settle))
        .route_layer(from_fn_with_state(app.clone(), min_position::wait))
        .merge(openapi::router(&document))
        .merge(pages::router());
    if settings.has_operations {
        routes = routes.merge(health::operations_router(settings.metrics.clone()));
    }
    let is_https = app.settings.public_url.starts_with("https://");
    wrap(routes.with_state(app.clone()), &app, settings, is_https)
}

/// Only what the people who run it ask for, on a listener of its own.
pub fn operations(app: App, settings: &EdgeSettings) -> Edge {
    let routes = health::operations_router(settings.metrics.clone());
    wrap(routes.with_state(app.clone()), &app, settings, false)
}

fn wrap(routes: Router, app: &App, settings: &EdgeSettings, is_https: bool) -> Edge {
    let clock = app.commands.clock().clone();
    let ids = clock.clone();
    let clock = Clock {
        now: std::sync::Arc::new(move || OffsetDateTime::from(clock.now())),
        request_id: std::sync::Arc::new(move || RequestId::get(ids.request_id())),
    };
    let config = EdgeConfig {
        origins: settings.origins.clone(),
        is_https,
        proxies: settings.proxies.clone(),
        request_timeout: settings.request_timeout,
        clock,
    };
    Edge::new(routes, config)
}
