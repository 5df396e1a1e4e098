//! `PATCH organizations/{id}/update_member_role/`: an admin gives a member another role.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::UpdateMemberRole;
use keynest_domain::{Invalid, OrganizationId, Role, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::MODELS;
use crate::core::given::{Check, Id};
use crate::extract::{Caller, Json, Path, Text};
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = RoleWish)]
pub struct Request {
    #[schema(value_type = i64)]
    user_id: Id,
    /// `admin`, `editor` (also as `member`) or `viewer`.
    #[schema(value_type = String)]
    role: Text,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoleUpdated)]
pub struct Response {
    message: &'static str,
    member: Updated,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UpdatedMember)]
struct Updated {
    id: i64,
    email: String,
    username: String,
    role: &'static str,
}

impl Request {
    fn parse(&self, id: i64) -> Result<UpdateMemberRole, Problem> {
        let mut check = Check::default();
        let role = check.field("role", &self.role, role);
        let (organization, user) = (OrganizationId::new(id), UserId::new(self.user_id.0));
        check.done(role.map(|role| UpdateMemberRole { organization, user, role }))
    }
}

/// A role by its name.
pub(super) fn role(text: &str) -> Result<Role, Invalid> {
    let unknown = || Invalid::new("unknown_role", "Expected one of admin, editor, viewer.");
    Role::parse(text).ok_or_else(unknown)
}

/// Changes a member's role; the same role again changes nothing.
#[utoipa::path(
    patch, path = "/organizations/{id}/update_member_role/", tag = "members", operation_id = "update_member_role",
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
    let wish = request.parse(id)?;
    let updated = app.commands.update_member_role(&caller.origin, wish).await?;
    let person = app.queries.user(wish.user).await?;
    let (email, username) = person.map(|row| (row.email, row.username)).unwrap_or_default();
    let member = Updated { id: wish.user.get(), email, username, role: wish.role.name() };
    let body = Response { message: "Member role updated.", member };
    Ok(app.done(StatusCode::OK, updated.position, MODELS, body).await)
}
