//! `DELETE organizations/{id}/remove_member/`, with a body (R18): an admin removes a member.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::RemoveMember;
use keynest_domain::{OrganizationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::MODELS;
use crate::core::given::Id;
use crate::extract::{Caller, Json, Path};
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = RemovalWish)]
pub struct Request {
    #[schema(value_type = i64)]
    user_id: Id,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MemberRemoved)]
pub struct Response {
    message: &'static str,
    removed_member: Removed,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RemovedMember)]
struct Removed {
    email: String,
    username: String,
    /// The one that it had.
    role: &'static str,
}

/// Removes a member.
#[utoipa::path(
    delete, path = "/organizations/{id}/remove_member/", tag = "members", operation_id = "remove_member",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 200, body = Response),
        (status = 400, description = "`own_membership`, `last_admin`"),
        (status = 403, description = "`role_too_weak`"),
        (status = 404, description = "`not_a_member`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Response>, Problem> {
    let user = UserId::new(request.user_id.0);
    let wish = RemoveMember { organization: OrganizationId::new(id), user };
    let removed = app.commands.remove_member(&caller.origin, wish).await?;
    let person = app.queries.user(user).await?;
    let (email, username) = person.map(|row| (row.email, row.username)).unwrap_or_default();
    let removed_member = Removed { email, username, role: removed.outcome.name() };
    let body = Response { message: "Member removed.", removed_member };
    Ok(app.done(StatusCode::OK, removed.position, MODELS, body).await)
}
