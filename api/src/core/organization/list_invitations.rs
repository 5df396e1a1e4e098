//! `GET organizations/{id}/invitations/`: what waits for an answer, for admins.

use axum::extract::State;
use keynest_domain::{OrganizationId, Permission};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::Invitation;
use crate::core::require;
use crate::extract::{Caller, Json, Path};
use crate::{App, Problem};

#[derive(Serialize, ToSchema)]
#[schema(as = InvitationList)]
pub struct Response {
    invitations: Vec<Invitation>,
    total_count: usize,
}

/// The unanswered invitations of an organization.
#[utoipa::path(
    get, path = "/organizations/{id}/invitations/", tag = "members", operation_id = "list_invitations",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    let id = OrganizationId::new(id);
    let role = app.queries.organization(caller.reader(), id).await?.map(|row| row.role);
    require(id, role, Permission::ManageMembers)?;
    let rows = app.queries.pending_invitations(caller.user, id).await?.unwrap_or_default();
    let invitations: Vec<_> = rows.into_iter().map(Invitation::from).collect();
    Ok(Json(Response { total_count: invitations.len(), invitations }))
}
