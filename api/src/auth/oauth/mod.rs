//! Sign-in through identity providers: start, callback, and what redeems the proof (CONTRACT 1.2, 2.6).

pub(super) mod access;
mod callback;
mod describe;
mod exchange;
mod github;
mod google;
mod start;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::throttle::Throttle;

pub(super) use describe::{Described, described};

/// The routes of this folder that programs call.
pub fn router(throttle: &Throttle) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(google::handle))
        .routes(routes!(github::handle))
        .routes(routes!(exchange::handle))
        .route_layer(throttle.auth())
}

/// Where browsers go to and come back to; `docs/SIGN_IN.md` describes it.
pub fn browser_router(throttle: &Throttle) -> Router<App> {
    Router::new()
        .route("/api/auth/oauth/{provider}/start/", get(start::send))
        .route("/api/auth/oauth/{provider}/callback/", get(callback::arrive))
        .route_layer(throttle.anonymous())
}
