//! Take a provider away from the caller's account.

use axum::extract::State;
use keynest_domain::IdentityId;
use keynest_projections::names;

use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

const ROUTE: &str = "DELETE /api/auth/identities/{id}/";

/// Unlinks an identity, unless it is the last way to sign in; asks for a fresh sign-in.
#[utoipa::path(delete, path = "/identities/{id}/", tag = "auth", operation_id = "unlink_identity",
    security(("bearer" = [])), params(("id" = String, Path, description = "From the list.")),
    responses((status = 204, description = "Unlinked."), (status = 403, description = "`step_up_required`"),
        (status = 404, description = "`not_found`"), (status = 409, description = "`last_way_in`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Done<()>, Problem> {
    let unlinked = match id.parse::<IdentityId>() {
        Ok(id) => {
            let configured = app.providers.configured_issuers();
            let done = app.commands.unlink_identity(&caller.origin, id, configured).await;
            done.map_err(Problem::from)
        }
        Err(_) => Err(Problem::new("not_found")),
    };
    match unlinked {
        Ok(executed) => Ok(app.no_content(executed.position, &[names::IDENTITIES]).await),
        Err(problem) => Err(app.file_refusal(&caller.origin, ROUTE, None, problem).await),
    }
}
