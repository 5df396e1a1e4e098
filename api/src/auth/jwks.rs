//! The public keys that verify access tokens (RFC 7517).

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use utoipa::ToSchema;

use crate::App;

/// How long others may keep the keys: much shorter than a retired key is still shown.
const CACHE: &str = "public, max-age=300";

/// The active key and those that still verify (RFC 7517, RFC 8037).
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the description is used")]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only the description is used")]
struct PublicKey {
    kty: String,
    crv: String,
    x: String,
    kid: String,
    r#use: String,
    alg: String,
}

/// Shows the keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "operations", operation_id = "jwks",
    responses((status = 200, body = KeySet)))]
pub async fn handle(State(app): State<App>) -> impl IntoResponse {
    ([(CACHE_CONTROL, CACHE)], Json(app.tokens.jwks()))
}
