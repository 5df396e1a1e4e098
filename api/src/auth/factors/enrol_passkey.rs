//! `POST factors/passkeys/options/` and `factors/passkeys/`: a passkey.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use keynest_domain::FactorName;
use keynest_projections::names;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::EnrolledAnswer;
use crate::auth::faults::Faults;
use crate::auth::passkey_sign_in::Ceremony;
use crate::extract::{Caller, Json, Text};
use crate::{App, Done, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyEnrolment)]
pub struct Request {
    challenge: String,
    /// What `navigator.credentials.create` gave, as JSON.
    #[schema(value_type = Object)]
    passkey: Value,
    /// What the device or key is called.
    #[schema(value_type = String, max_length = 64)]
    name: Text,
}

/// What the browser needs to make a passkey.
#[utoipa::path(post, path = "/factors/passkeys/options/", tag = "factors", operation_id = "begin_passkey",
    responses((status = 200, body = Ceremony), (status = 400, description = "`passkeys_off`"),
        (status = 403, description = "`step_up_required`")), security(("bearer" = [])))]
pub async fn begin(State(app): State<App>, caller: Caller) -> Result<Body<Ceremony>, Problem> {
    Ok(Body(app.commands.begin_passkey(&caller.origin).await?.into()))
}

/// Enrols the passkey; with the first factor the recovery codes are shown, once.
#[utoipa::path(post, path = "/factors/passkeys/", tag = "factors", operation_id = "enrol_passkey",
    request_body = Request, responses((status = 201, body = EnrolledAnswer),
        (status = 400, description = "`passkey_refused`, `challenge_not_valid`, `too_many_factors`, `validation`"),
        (status = 403, description = "`step_up_required`")), security(("bearer" = [])))]
pub async fn finish(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<EnrolledAnswer>, Problem> {
    let mut faults = Faults::default();
    let name = faults.take("name", FactorName::parse(&request.name.0));
    let name = name.ok_or_else(|| faults.problem())?;
    let Request { challenge, passkey, .. } = request;
    let done = app.commands.enrol_passkey(&caller.origin, &challenge, passkey, name).await?;
    Ok(app.done(StatusCode::CREATED, done.position, &[names::FACTORS], done.outcome.into()).await)
}
