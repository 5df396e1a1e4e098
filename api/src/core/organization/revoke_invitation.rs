//! `DELETE organizations/{id}/invitations/{invitation_id}/`: an admin takes an invitation back.

use axum::extract::State;
use keynest_commands::organization::RevokeInvitation;
use keynest_domain::{InvitationId, OrganizationId};
use uuid::Uuid;

use crate::core::MODELS;
use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

/// Kills the link of an invitation.
#[utoipa::path(
    delete, path = "/organizations/{id}/invitations/{invitation_id}/", tag = "members",
    operation_id = "revoke_invitation", params(("id" = i64, Path), ("invitation_id" = String, Path)),
    responses(
        (status = 204),
        (status = 400, description = "`invitation_used`"),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path((id, invitation)): Path<(i64, Uuid)>,
) -> Result<Done<()>, Problem> {
    let (organization, invitation) = (OrganizationId::new(id), InvitationId::new(invitation));
    let wish = RevokeInvitation { organization, invitation };
    let revoked = app.commands.revoke_invitation(&caller.origin, wish).await?;
    Ok(app.no_content(revoked.position, MODELS).await)
}
