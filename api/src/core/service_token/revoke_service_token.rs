//! `DELETE organizations/{id}/tokens/{token_id}/`: a token of the organization ends at once, on every replica.

use axum::extract::State;
use keynest_commands::organization::EndService;
use keynest_domain::{OrganizationId, TokenId};
use keynest_projections::names;

use crate::core::MODELS;
use crate::extract::{Caller, Path};
use crate::{App, Done, Problem};

/// Ends a token of the organization.
#[utoipa::path(
    delete, path = "/organizations/{id}/tokens/{token_id}/", tag = "tokens", operation_id = "revoke_service_token",
    params(("id" = i64, Path), ("token_id" = i64, Path)), responses(
        (status = 204),
        (status = 403, description = "`role_too_weak`"),
        (status = 404, description = "`not_found`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path((id, token)): Path<(i64, i64)>,
) -> Result<Done<()>, Problem> {
    let wish = EndService::Token(OrganizationId::new(id), TokenId::new(token));
    let ended = app.commands.end_service(&caller.origin, wish).await?;
    app.revocations.wait_for(ended.position).await;
    Ok(app.no_content(ended.position, &[MODELS, &[names::TOKENS]].concat()).await)
}
