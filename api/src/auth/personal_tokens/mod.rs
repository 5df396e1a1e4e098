//! The caller's personal tokens.

mod create_token;
mod list_tokens;
mod revoke_token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// The routes, under `/api/auth`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens::handle, create_token::handle))
        .routes(routes!(revoke_token::handle))
}
