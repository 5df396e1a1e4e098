//! Sign out: with a good, an expired or no access token, and with or without a body (R8, R19).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::{SessionId, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Message;
use crate::extract::{Anyone, Json, MaybeJson, Text};
use crate::{App, Problem};

/// The body, if there is one.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = LogoutRequest)]
pub struct Request {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    refresh: Option<Text>,
}

/// Ends the session that the access token or the refresh token names.
#[utoipa::path(post, path = "/logout/", tag = "auth", operation_id = "log_out",
    request_body = Option<Request>, security((), ("bearer" = [])),
    responses((status = 200, body = Message)))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    headers: HeaderMap,
    MaybeJson(request): MaybeJson<Request>,
) -> Result<Json<Message>, Problem> {
    let by_refresh =
        request.refresh.and_then(|token| app.commands.session_of_refresh_token(&token.0));
    for session in [session_of(&app, &headers), by_refresh].into_iter().flatten() {
        let ended = app.commands.log_out(&caller.origin, session).await?;
        app.revocations.wait_for(ended.position).await;
    }
    Ok(Json(Message::new("Signed out")))
}

/// The session of an access token that was good once: signing out an hour after the last click must end it as well.
fn session_of(app: &App, headers: &HeaderMap) -> Option<SessionId> {
    let (_, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let claims = token.trim().split('.').nth(1)?;
    let claims: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let issued = Timestamp::from_micros(claims["iat"].as_i64()?.checked_mul(1_000_000)?);
    let now = app.commands.clock().now();
    Some(app.tokens.verify(token.trim(), issued.min(now)).ok()?.claims.session)
}
