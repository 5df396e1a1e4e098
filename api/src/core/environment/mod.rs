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
use crate::server::body_limit;

pub use shape::Environment;

/// Largest body of an import, in bytes: a file of 10 MiB with its form around it, or as a JSON text with escapes.
pub const IMPORT_BODY_BYTES_MAX: u64 = 21 * 1024 * 1024;

/// The routes of environments.
pub fn router() -> OpenApiRouter<App> {
    let import = OpenApiRouter::new()
        .routes(routes!(import_variables::handle))
        .layer(body_limit(IMPORT_BODY_BYTES_MAX));
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
        .merge(import)
}
