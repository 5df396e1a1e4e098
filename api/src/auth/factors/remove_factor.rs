//! `DELETE factors/{id}/`: take a factor away.

use axum::extract::State;
use keynest_domain::FactorId;
use keynest_projections::names;
use uuid::Uuid;

use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

/// Removes one of the caller's factors, unless it is the last way to sign in.
#[utoipa::path(delete, path = "/factors/{id}/", tag = "factors", operation_id = "remove_factor",
    params(("id" = String, Path)),
    responses((status = 204), (status = 403, description = "`step_up_required`"), (status = 404), (status = 409, description = "`last_way_in`")),
    security(("bearer" = [])))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Done<()>, Problem> {
    let configured = app.providers.configured_issuers();
    let id = FactorId::new(id);
    let done = app.commands.remove_factor(&caller.origin, id, configured).await?;
    Ok(app.no_content(done.position, &[names::FACTORS]).await)
}
