//! `DELETE tokens/{id}/`: an administrator ends anybody's token, say one that was found in public.

use axum::extract::State;
use keynest_domain::TokenId;
use keynest_projections::names;

use super::Administrator;
use crate::extract::Path;
use crate::{App, Done, Problem};

/// Ends a token by its number, whosesoever it is: a person's, a service's, or a rule with all that it allowed. Whoever
/// owned it is told by mail.
#[utoipa::path(
    delete, path = "/tokens/{id}/", tag = "admin", operation_id = "administer_token_revocation",
    params(("id" = i64, Path)), responses(
        (status = 204),
        (status = 403, description = "`not_administrator`"),
        (status = 404, description = "`not_found`: never made, or ended"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Path(id): Path<i64>,
) -> Result<Done<()>, Problem> {
    let ended = app.commands.administer_token_revocation(&caller.origin, TokenId::new(id)).await?;
    app.revocations.wait_for(ended.position).await;
    Ok(app.no_content(ended.position, &[names::TOKENS]).await)
}
