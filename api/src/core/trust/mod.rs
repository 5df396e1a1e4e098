//! Rules by which tokens of other issuers are exchanged: for an organization's admins.

mod create_trust;
mod list_trusts;
mod remove_trust;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// The routes, under `/api/core`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_trusts::handle, create_trust::handle))
        .routes(routes!(remove_trust::handle))
}
