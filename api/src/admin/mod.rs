//! The instance, for its administrators: accounts and counts, never values.

mod administrator;
mod close_account;
mod limits;
mod list_organizations;
mod list_users;
mod providers;
mod revoke_token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

use administrator::Administrator;

/// Everything under `/api/admin`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users::handle))
        .routes(routes!(close_account::deactivate))
        .routes(routes!(close_account::reactivate))
        .routes(routes!(list_organizations::handle))
        .routes(routes!(revoke_token::handle))
        .routes(routes!(limits::list, limits::change))
        .merge(providers::router())
        .routes(routes!(limits::list_own, limits::change_own))
}
