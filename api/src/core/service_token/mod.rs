//! Tokens of an organization: for its admins.

mod create_service_token;
mod list_service_tokens;
mod revoke_service_token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use create_service_token::role;

/// The routes, under `/api/core`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_service_tokens::handle, create_service_token::handle))
        .routes(routes!(revoke_service_token::handle))
}
