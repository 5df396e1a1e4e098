//! `DELETE projects/{id}/`: an admin ends a project.

use axum::extract::State;
use keynest_commands::project::DeleteProject;
use keynest_domain::ProjectId;

use crate::core::MODELS;
use crate::extract::{Path, Principal};
use crate::{App, Done, Problem};

/// Ends a project and all that is in it.
#[utoipa::path(
    delete, path = "/projects/{id}/", tag = "projects", operation_id = "delete_project",
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
    let wish = DeleteProject { project: ProjectId::new(id) };
    let deleted = app.commands.delete_project(&caller.origin, wish).await?;
    Ok(app.no_content(deleted.position, MODELS).await)
}
