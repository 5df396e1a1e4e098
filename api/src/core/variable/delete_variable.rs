//! `DELETE variables/{id}/`.

use axum::extract::State;
use keynest_commands::environment::DeleteVariable;
use keynest_domain::VariableId;

use crate::core::MODELS;
use crate::extract::{Path, Principal};
use crate::{App, Done, Problem};

/// Deletes a variable; its key is free again.
#[utoipa::path(
    delete, path = "/variables/{id}/", tag = "variables", operation_id = "delete_variable",
    params(("id" = i64, Path)), responses(
        (status = 204),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Done<()>, Problem> {
    let wish = DeleteVariable { variable: VariableId::new(id) };
    let deleted = app.commands.delete_variable(&caller.origin, wish).await?;
    Ok(app.no_content(deleted.position, MODELS).await)
}
