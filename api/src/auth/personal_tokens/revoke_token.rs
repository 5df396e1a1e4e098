//! `DELETE tokens/{id}/`: a token ends at once, on every replica.

use axum::extract::State;
use keynest_domain::TokenId;
use keynest_projections::names;

use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

/// Ends one of the caller's tokens.
#[utoipa::path(delete, path = "/tokens/{id}/", tag = "tokens", operation_id = "revoke_token",
    params(("id" = i64, Path)), security(("bearer" = [])),
    responses((status = 204), (status = 404, description = "`not_found`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Done<()>, Problem> {
    let revoked = app.commands.revoke_token(&caller.origin, TokenId::new(id)).await?;
    app.revocations.wait_for(revoked.position).await;
    Ok(app.no_content(revoked.position, &[names::TOKENS]).await)
}
