//! Sign in with what a client got from Google itself (CONTRACT 1.2).

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::{Answer, TOKEN_BYTES_MAX, trip_of_token};
use super::exchange;
use crate::extract::{Anyone, Json, Text};
use crate::{App, Problem};

const GOOGLE_ROUTE: &str = "POST /api/auth/oauth/google/";

/// The body: one of the three.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = OAuthTokenRequest)]
pub struct Request {
    /// An access token that the provider issued to this application.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    access_token: Option<Text>,
    /// An ID token that the provider issued to this application; good once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id_token: Option<Text>,
    /// From the callback of this server, as for `exchange/`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Text>,
    /// With `code`: the secret whose digest the sign-in was begun with.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    verifier: Option<Text>,
}

/// Signs in with an access token, an ID token or a code of Google.
#[utoipa::path(post, path = "/oauth/google/", tag = "auth", operation_id = "oauth_google", request_body = Request,
    responses((status = 200, body = Answer),
        (status = 400, description = "`oauth_proof_invalid`, `oauth_code_invalid`, `oauth_address_unverified`, `validation`"),
        (status = 403, description = "`account_inactive`"),
        (status = 404, description = "`oauth_provider_unknown`"),
        (status = 409, description = "`oauth_link_required`"),
        (status = 503, description = "`oauth_provider_unavailable`, `read_model_behind`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Problem> {
    take(&app, &caller, "google", GOOGLE_ROUTE, request).await
}

/// The same for each provider that has a route of its own.
pub async fn take(
    app: &App,
    caller: &Anyone,
    name: &str,
    route: &str,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    match run(app, caller, name, request).await {
        Ok(answer) => Ok(Json(answer)),
        Err(problem) => Err(app.file_refusal(&caller.origin, route, Some(name), problem).await),
    }
}

async fn run(app: &App, caller: &Anyone, name: &str, request: Request) -> Result<Answer, Problem> {
    let provider = app.provider(name)?;
    let now = app.commands.clock().now();
    match (request.access_token, request.id_token, request.code) {
        (Some(token), None, None) if token.0.len() <= TOKEN_BYTES_MAX => {
            let proof = provider.prove_access_token(&token.0, now).await?;
            let trip = app.commands.clock().federation_id();
            app.redeem(&caller.origin, trip, proof).await
        }
        (None, Some(token), None) if token.0.len() <= TOKEN_BYTES_MAX => {
            let proof = provider.prove_id_token(&token.0, now).await?;
            app.redeem(&caller.origin, trip_of_token(&token.0), proof).await
        }
        (None, None, Some(code)) => {
            let verifier = request.verifier.as_ref().map(|it| it.0.as_str());
            exchange::run(app, caller, Some(name), &code.0, verifier).await
        }
        _ => {
            let why = "Give one of access_token, id_token and code.";
            Err(Problem::validation([("access_token", why)]))
        }
    }
}
