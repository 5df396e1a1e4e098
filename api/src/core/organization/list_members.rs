//! `GET organizations/{id}/members/`: all members, for all members (R13).

use axum::extract::State;
use keynest_domain::{OrganizationId, Permission};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::Member;
use crate::core::found;
use crate::extract::{Json, Path, Principal};
use crate::{App, Problem};

#[derive(Serialize, ToSchema)]
#[schema(as = MemberList)]
pub struct Response {
    /// In the order in which they joined; not paged.
    members: Vec<Member>,
    total_count: usize,
}

/// The members of an organization.
#[utoipa::path(
    get, path = "/organizations/{id}/members/", tag = "members", operation_id = "list_members",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`token_scope_too_narrow`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    let id = OrganizationId::new(id);
    let seen = found(app.queries.list_members(&caller.reader, id).await?)?;
    caller.require(id, Some(seen.role), Permission::ViewMembers)?;
    let members: Vec<_> =
        seen.members.into_iter().map(|row| Member::seen_by(seen.role, row)).collect();
    Ok(Json(Response { total_count: members.len(), members }))
}
