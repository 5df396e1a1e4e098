//! Projects and the environments in them.

mod create_project;
mod delete_project;
mod list_environments;
mod list_projects;
mod read_project;
mod shape;
mod update_project;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// The routes of projects.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_projects::handle, create_project::handle))
        .routes(routes!(
            read_project::handle,
            update_project::patch,
            update_project::put,
            delete_project::handle
        ))
        .routes(routes!(list_environments::handle))
}
