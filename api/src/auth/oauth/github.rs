//! Sign in with what a client got from `GitHub` itself (CONTRACT 1.2).

use axum::extract::State;

use super::access::Answer;
use super::google::{Request, take};
use crate::extract::{Anyone, Json};
use crate::{App, Problem};

const GITHUB_ROUTE: &str = "POST /api/auth/oauth/github/";

/// Signs in with an access token or a code of GitHub, which has no ID tokens.
#[utoipa::path(post, path = "/oauth/github/", tag = "auth", operation_id = "oauth_github", request_body = Request,
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
    take(&app, &caller, "github", GITHUB_ROUTE, request).await
}
