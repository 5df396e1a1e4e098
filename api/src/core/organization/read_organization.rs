//! `GET organizations/{id}/`.

use axum::extract::State;
use keynest_domain::OrganizationId;

use super::shape::Organization;
use crate::core::{found, shaped};
use crate::extract::{Json, Path, Principal};
use crate::{App, Problem};

/// One of the caller's organizations.
#[utoipa::path(
    get, path = "/organizations/{id}/", tag = "organizations", operation_id = "read_organization",
    params(("id" = i64, Path)), responses((status = 200, body = Organization)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Organization>, Problem> {
    let id = OrganizationId::new(id);
    let row = found(shaped(app.queries.organization(&caller.reader, id)).await?)?;
    Ok(Json(row))
}
