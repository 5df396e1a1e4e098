//! `POST organizations/{id}/invite_member/`: an admin invites an address.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::organization::InviteMember;
use keynest_domain::{Email, OrganizationId, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::update_member_role::role;
use crate::core::MODELS;
use crate::core::given::Check;
use crate::extract::{Caller, Json, Path, Text};
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = InvitationWish)]
pub struct Request {
    #[schema(value_type = String, format = Email, max_length = 254)]
    email: Text,
    /// `admin`, `editor` (also as `member`) or `viewer`, which is the default.
    #[schema(value_type = Option<String>)]
    role: Option<Text>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = InvitationSent)]
pub struct Response {
    message: &'static str,
    invitation: Sent,
    member: Invitee,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SentInvitation)]
struct Sent {
    #[schema(value_type = String)]
    id: Uuid,
    email: String,
    role: &'static str,
    /// The organization's name.
    organization: String,
    #[schema(format = DateTime)]
    expires_at: String,
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Invitee {
    email: String,
}

impl Request {
    fn parse(&self, id: i64) -> Result<InviteMember, Problem> {
        let mut check = Check::default();
        let address = check.field("email", &self.email, Email::parse);
        let role = check.optional("role", self.role.as_ref(), role).unwrap_or(Role::Viewer);
        let organization = OrganizationId::new(id);
        check.done(address.map(|address| InviteMember { organization, address, role }))
    }
}

/// Mails an invitation that is good for seven days.
#[utoipa::path(
    post, path = "/organizations/{id}/invite_member/", tag = "members", operation_id = "invite_member",
    params(("id" = i64, Path)), request_body = Request, responses(
        (status = 201, body = Response),
        (status = 400, description = "`own_membership`, `already_member`, `invitation_pending`, `too_many_invitations`, `organization_full`"),
        (status = 403, description = "`role_too_weak`"),
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
    let (organization, email) = (wish.organization, wish.address.as_str().to_owned());
    let sent = app.commands.invite_member(&caller.origin, wish).await?;
    let name = app.queries.organization(caller.reader(), organization).await?.map(|row| row.name);
    let invitation = Sent {
        id: sent.outcome.invitation.get(),
        email: email.clone(),
        role: sent.outcome.role.name(),
        organization: name.unwrap_or_default(),
        expires_at: sent.outcome.expires_at.iso(),
        status: "pending",
    };
    let body = Response { message: "Invitation sent.", invitation, member: Invitee { email } };
    Ok(app.done(StatusCode::CREATED, sent.position, MODELS, body).await)
}
