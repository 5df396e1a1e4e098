//! Redeem the code that a browser brought from the callback.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::Answer;
use crate::extract::{Anyone, Json, Text};
use crate::{App, Problem};

const ROUTE: &str = "POST /api/auth/oauth/exchange/";

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = OAuthExchangeRequest)]
pub struct Request {
    /// From the callback; good once, for two minutes.
    #[schema(value_type = String)]
    code: Text,
    /// The secret whose digest the sign-in was begun with.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    verifier: Option<Text>,
}

/// Signs in with the code of the callback.
#[utoipa::path(post, path = "/oauth/exchange/", tag = "auth", operation_id = "oauth_exchange",
    request_body = Request,
    responses((status = 200, body = Answer),
        (status = 400, description = "`oauth_code_invalid`, `oauth_address_unverified`, `validation`"),
        (status = 403, description = "`account_inactive`"),
        (status = 404, description = "`oauth_provider_unknown`"),
        (status = 409, description = "`oauth_link_required`"),
        (status = 503, description = "`read_model_behind`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Problem> {
    let verifier = request.verifier.as_ref().map(|it| it.0.as_str());
    match run(&app, &caller, None, &request.code.0, verifier).await {
        Ok(answer) => Ok(Json(answer)),
        Err(problem) => Err(app.file_refusal(&caller.origin, ROUTE, None, problem).await),
    }
}

/// A code for linking signs nobody in; a code of one provider is none of another's.
pub async fn run(
    app: &App,
    caller: &Anyone,
    provider: Option<&str>,
    code: &str,
    verifier: Option<&str>,
) -> Result<Answer, Problem> {
    let code = app.open_proof_code(code, verifier)?;
    let is_its = provider.is_none_or(|name| name == code.proof.provider.as_str());
    if code.link.is_some() || !is_its {
        return Err(Problem::new("oauth_code_invalid"));
    }
    app.redeem(&caller.origin, code.trip, code.proof).await
}
