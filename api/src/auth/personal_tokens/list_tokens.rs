//! `GET tokens/`: the caller's tokens, without their texts.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{Caller, Json};
use crate::token::Token;
use crate::{App, Problem};

#[derive(Serialize, ToSchema)]
#[schema(as = TokenList)]
pub struct Response {
    /// The newest first; not paged.
    tokens: Vec<Token>,
    total_count: usize,
}

/// The caller's personal tokens that were not ended; expired ones are among them.
#[utoipa::path(get, path = "/tokens/", tag = "tokens", operation_id = "list_tokens",
    security(("bearer" = [])), responses((status = 200, body = Response)))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Json<Response>, Problem> {
    let rows = app.queries.personal_tokens(caller.user).await?;
    let tokens = app.with_last_uses(rows).await?;
    Ok(Json(Response { total_count: tokens.len(), tokens }))
}
