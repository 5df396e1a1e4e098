//! Accounts, sessions and sign-in under `/api/auth/`.

mod revocation;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::throttle::Throttle;

pub use revocation::Revocations;

/// The routes of this folder.
pub fn router(_throttle: &Throttle) -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// Routes that have a place of their own by convention.
pub fn well_known_router() -> Router<App> {
    Router::new()
}
