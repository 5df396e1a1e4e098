//! The public keys that verify access tokens (RFC 7517).

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::App;

/// How long others may keep the keys: much shorter than a retired key is still shown.
const CACHE: &str = "public, max-age=300";

/// Shows the keys.
pub async fn handle(State(app): State<App>) -> impl IntoResponse {
    ([(CACHE_CONTROL, CACHE)], Json(app.tokens.jwks()))
}
