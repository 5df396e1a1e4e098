//! All routes, and the edge around them.

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use keynest_domain::RequestId;
use time::OffsetDateTime;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::middleware::{
    Clock, CorsOrigins, Edge, EdgeConfig, Metrics, Proxies, REQUEST_TIMEOUT_DEFAULT,
};
use crate::server::BodyLimit;
use crate::throttle::Throttle;
use crate::{App, admin, auth, core, events, health, idempotency, min_position, openapi, pages};

/// Room for what stands around a file in the body of an import, in bytes.
const IMPORT_FORM_BYTES_MAX: u64 = 64 * 1024;

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
        .nest("/api/admin", admin::router())
        .merge(events::router())
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
        // Outside of whatever reads a body.
        .route_layer(from_fn_with_state(app.clone(), allow_imports))
        .merge(openapi::router(&document))
        .merge(auth::browser_router(&app.throttle))
        .merge(pages::router());
    if settings.has_operations {
        routes = routes.merge(health::operations_router(settings.metrics.clone()));
    }
    let is_https = app.settings.public_url.starts_with("https://");
    wrap(routes.with_state(app.clone()), &app, settings, is_https)
}

/// Imports have the one body that is larger than the rest: a file with its form around it, or as a JSON text with
/// escapes. The file itself is measured by the route.
async fn allow_imports(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if route.ends_with("/import/")
        && let Some(limit) = request.extensions().get::<BodyLimit>()
    {
        let file = u64::try_from(app.settings.import_bytes_max).unwrap_or(u64::MAX);
        limit.set(file.saturating_mul(2).saturating_add(IMPORT_FORM_BYTES_MAX));
    }
    next.run(request).await
}

/// Only what the people who run it ask for, on a listener of its own.
pub fn operations(app: App, settings: &EdgeSettings) -> Edge {
    let routes = health::operations_router(settings.metrics.clone());
    wrap(routes.with_state(app.clone()), &app, settings, false)
}

/// The same for a process that serves no callers.
pub fn quiet_operations(app: App, settings: &EdgeSettings) -> Edge {
    let routes = health::quiet_operations_router(settings.metrics.clone());
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
