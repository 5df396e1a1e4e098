//! `GET projects/{id}/`.

use axum::extract::State;
use keynest_domain::ProjectId;

use super::shape::Project;
use crate::core::found;
use crate::extract::{Json, Path, Principal};
use crate::{App, Problem};

/// A project of one of the caller's organizations.
#[utoipa::path(
    get, path = "/projects/{id}/", tag = "projects", operation_id = "read_project",
    params(("id" = i64, Path)), responses((status = 200, body = Project)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Project>, Problem> {
    let row = found(app.queries.project(&caller.reader, ProjectId::new(id)).await?)?;
    Ok(Json(row.into()))
}
