//! Link a provider to the caller's account: begin with a fresh sign-in, go there in the browser, finish with the code
//! and the same session. Neither a link that somebody was lured into nor a code of somebody else leads anywhere.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_projections::names;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list::{Answer, answer};
use super::ticket::LinkTicket;
use crate::extract::{Caller, Json, Text};
use crate::{App, Done, Problem};

const BEGIN: &str = "POST /api/auth/identities/link/";
const FINISH: &str = "POST /api/auth/identities/";

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = LinkIdentityRequest)]
pub struct Request {
    /// Its name in `config/`.
    #[schema(value_type = String, example = "github")]
    provider: Text,
}

/// Where to go.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkIdentityAnswer)]
pub struct Begun {
    /// Send the browser here within two minutes; it comes back to the frontend as after a sign-in.
    authorize_url: String,
}

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = FinishLinkRequest)]
pub struct Finish {
    /// From the callback; good once, for two minutes, and for the session that began.
    #[schema(value_type = String)]
    code: Text,
    /// The secret whose digest `start/` was given, if it was given one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    verifier: Option<Text>,
}

/// Begins to link a provider; asks for a fresh sign-in.
#[utoipa::path(post, path = "/identities/link/", tag = "auth", operation_id = "begin_identity_link",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Begun), (status = 400, description = "`validation`"),
        (status = 403, description = "`step_up_required`"),
        (status = 404, description = "`oauth_provider_unknown`")))]
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Json<Begun>, Problem> {
    match ticket(&app, &caller, &request.provider.0).await {
        Ok(authorize_url) => Ok(Json(Begun { authorize_url })),
        Err(problem) => {
            let provider = Some(request.provider.0.as_str());
            Err(app.file_refusal(&caller.origin, BEGIN, provider, problem).await)
        }
    }
}

async fn ticket(app: &App, caller: &Caller, provider: &str) -> Result<String, Problem> {
    let name = app.provider(provider)?.settings.name.clone();
    app.commands.may_link_identity(&caller.origin).await?;
    let (origin, now) = (&app.settings.public_url, app.commands.clock().now());
    let path = format!("/api/auth/oauth/{name}/start/");
    let ticket = LinkTicket::seal(&app.cursors, name, caller.user, caller.session, now);
    Ok(format!("{origin}{path}?ticket={ticket}"))
}

/// Links the identity that the code proves.
#[utoipa::path(post, path = "/identities/", tag = "auth", operation_id = "link_identity",
    security(("bearer" = [])), request_body = Finish,
    responses((status = 201, body = Answer),
        (status = 400, description = "`oauth_code_invalid`, `oauth_address_unverified`, `validation`"),
        (status = 403, description = "`step_up_required`"),
        (status = 404, description = "`oauth_provider_unknown`"),
        (status = 409, description = "`identity_known`, `identity_taken`")))]
pub async fn finish(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Finish>,
) -> Result<Done<Answer>, Problem> {
    match run(&app, &caller, request).await {
        Ok(done) => Ok(done),
        Err(problem) => Err(app.file_refusal(&caller.origin, FINISH, None, problem).await),
    }
}

async fn run(app: &App, caller: &Caller, request: Finish) -> Result<Done<Answer>, Problem> {
    let verifier = request.verifier.as_ref().map(|it| it.0.as_str());
    let code = app.open_proof_code(&request.code.0, verifier)?;
    if code.link != Some((caller.user, caller.session)) {
        return Err(Problem::new("oauth_code_invalid"));
    }
    let executed = app.commands.link_identity(&caller.origin, code.trip, code.proof).await?;
    app.wait_for(executed.position, &[names::IDENTITIES]).await;
    let body = answer(app, caller).await?;
    Ok(app.done(StatusCode::CREATED, executed.position, &[names::IDENTITIES], body).await)
}
