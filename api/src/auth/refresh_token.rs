//! A new access token for a refresh token (R7). A bad one is 400, since 401 would make the frontend refresh again.

use axum::extract::State;
use keynest_commands::CommandError;
use keynest_domain::session::Rejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::extract::{Anyone, Json, Text};
use crate::{App, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = RefreshRequest)]
pub struct Request {
    #[schema(value_type = String)]
    refresh: Text,
}

/// The answer. A client that does not store the new refresh token may go on with the old one.
#[derive(Serialize, ToSchema)]
#[schema(as = RefreshAnswer)]
pub struct Answer {
    access: String,
    refresh: String,
}

/// Exchanges a refresh token for an access token and its successor.
#[utoipa::path(post, path = "/token/refresh/", tag = "auth", operation_id = "refresh", request_body = Request,
    responses((status = 200, body = Answer), (status = 400, description = "`refresh_token_not_valid`, `validation`"),
        (status = 503, description = "`read_model_behind`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Problem> {
    match app.commands.refresh(&caller.origin, &request.refresh.0).await {
        Ok(executed) => {
            let tokens = app.tokens(&executed).await?;
            Ok(Json(Answer { access: tokens.access, refresh: tokens.refresh }))
        }
        Err(error) => {
            if matches!(error, CommandError::Session(Rejection::Reused)) {
                // The thief's access tokens are refused from this answer on.
                app.revocations.catch_up(app.commands.store()).await;
            }
            Err(error.into())
        }
    }
}
