//! `GET environments/{id}/`.

use axum::extract::State;
use keynest_domain::EnvironmentId;

use super::shape::Environment;
use crate::core::found;
use crate::extract::{Json, Path, Principal};
use crate::{App, Problem};

/// An environment of one of the caller's organizations.
#[utoipa::path(
    get, path = "/environments/{id}/", tag = "environments", operation_id = "read_environment",
    params(("id" = i64, Path)), responses((status = 200, body = Environment)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Environment>, Problem> {
    let row = found(app.queries.environment(&caller.reader, EnvironmentId::new(id)).await?)?;
    Ok(Json(row.into()))
}
