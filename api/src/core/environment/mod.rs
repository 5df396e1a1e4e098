//! Environments, the files that come and go, and the variables in them.

mod create_environment;
mod delete_environment;
mod export_variables;
mod file_name;
mod import_form;
mod import_variables;
mod list_environments;
mod list_variables;
mod read_environment;
mod shape;
mod update_environment;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use shape::Environment;

/// The routes of environments.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_environments::handle, create_environment::handle))
        .routes(routes!(
            read_environment::handle,
            update_environment::patch,
            update_environment::put,
            delete_environment::handle
        ))
        .routes(routes!(list_variables::handle))
        .routes(routes!(export_variables::handle))
        .routes(routes!(import_variables::handle))
}
