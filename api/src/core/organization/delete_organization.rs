//! `DELETE organizations/{id}/`: an admin ends a team.

use axum::extract::State;
use keynest_commands::organization::DeleteOrganization;
use keynest_domain::OrganizationId;

use crate::core::MODELS;
use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

/// Ends an organization and all that is in it.
#[utoipa::path(
    delete, path = "/organizations/{id}/", tag = "organizations", operation_id = "delete_organization",
    params(("id" = i64, Path)), responses(
        (status = 204),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Done<()>, Problem> {
    let wish = DeleteOrganization { organization: OrganizationId::new(id) };
    let deleted = app.commands.delete_organization(&caller.origin, wish).await?;
    Ok(app.no_content(deleted.position, MODELS).await)
}
