//! `Idempotency-Key` on any change: the same key, actor, route and body is the same command (DESIGN 9).

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keynest_commands::Repeatable;
use keynest_store::Begun;

use crate::extract::{Principal, origin};
use crate::server::read_body;
use crate::{App, Problem};

/// The request field.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Middleware: settles the command id of a change that carries a key.
pub async fn settle(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_change =
        matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    if !is_change || !request.headers().contains_key(&IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match settled(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn settled(app: &App, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let key =
        parts.headers.get(&IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
    let key = key
        .filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()))
        .ok_or_else(|| Problem::new("idempotency_key_invalid"))?;
    let actor = actor(&mut parts, app).await?;
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = format!("{} {route} {}", parts.method, parts.uri.path());
    let bytes = read_body(body).await?;
    let digest = keynest_crypto::sha256(&bytes);
    let clock = app.commands.clock();
    let begun =
        app.idempotency.begin(&actor, &route, &key, &digest, clock.command_id(), clock.now()).await;
    let command = match begun.map_err(|error| Problem::unavailable(&error))? {
        Begun::Fresh(id) => Repeatable { id, is_repeat: false },
        Begun::Repeat(id) => Repeatable { id, is_repeat: true },
        Begun::Mismatch => return Err(Problem::new("idempotency_mismatch")),
    };
    parts.extensions.insert(command);
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Keys are scoped to the signed-in person, to the token or, on public routes, to the client's address (THREATS A46).
async fn actor(parts: &mut axum::http::request::Parts, app: &App) -> Result<String, Problem> {
    if let Some(principal) =
        <Option<Principal> as FromRequestParts<App>>::from_request_parts(parts, app).await?
    {
        let token = principal.origin.token.map(|token| format!("token:{}", token.id));
        return Ok(token.unwrap_or_else(|| format!("user:{}", principal.reader.user())));
    }
    let address = origin(parts, app).client.and_then(|client| client.address);
    let address = address.map_or_else(String::new, |address| address.to_string());
    Ok(format!("public:{}", app.commands.keyring().digest("idempotency", &address)))
}
