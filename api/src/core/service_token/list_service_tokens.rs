//! `GET organizations/{id}/tokens/`: the organization's tokens, without their texts.

use axum::extract::State;
use keynest_domain::{OrganizationId, Permission};
use serde::Serialize;
use utoipa::ToSchema;

use crate::core::require;
use crate::extract::{Caller, Json, Path};
use crate::token::Token;
use crate::{App, Problem};

#[derive(Serialize, ToSchema)]
#[schema(as = ServiceTokenList)]
pub struct Response {
    /// The newest first; not paged.
    tokens: Vec<Token>,
    total_count: usize,
}

/// The organization's tokens that were not ended; expired ones are among them.
#[utoipa::path(
    get, path = "/organizations/{id}/tokens/", tag = "tokens", operation_id = "list_service_tokens",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    let id = OrganizationId::new(id);
    let role = app.queries.organization(caller.reader(), id).await?.map(|row| row.role);
    require(id, role, Permission::ManageServices)?;
    let tokens = app.with_last_uses(app.queries.service_tokens(id).await?).await?;
    Ok(Json(Response { total_count: tokens.len(), tokens }))
}
