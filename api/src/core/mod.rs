//! Organizations, projects, environments and variables under `/api/core/`.

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of this folder.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// `GET /api/`.
pub fn index_router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
