//! Variables, one by one.

mod change_variable;
mod create_variable;
mod delete_variable;
mod list_variables;
mod read_variable;
pub mod reveal;
mod shape;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub use shape::{UNREADABLE, Variable};

/// The routes of variables.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_variables::handle, create_variable::handle)).routes(
        routes!(
            read_variable::handle,
            change_variable::patch,
            change_variable::put,
            delete_variable::handle
        ),
    )
}
