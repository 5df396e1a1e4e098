//! `POST factors/totp/` and `factors/totp/confirm/`: an authenticator app.

use axum::Json as Body;
use axum::extract::State;
use axum::http::StatusCode;
use keynest_domain::FactorName;
use keynest_projections::names;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::EnrolledAnswer;
use crate::auth::faults::Faults;
use crate::extract::{Caller, Json, Text};
use crate::{App, Done, Problem};

/// A secret that counts once it is confirmed.
#[derive(Serialize, ToSchema)]
#[schema(as = TotpOffer)]
pub struct Offer {
    /// To be sent back with the first code, within 5 minutes, once.
    challenge: String,
    /// In base 32, for people who type it.
    secret: String,
    /// To be shown as a QR code.
    otpauth_uri: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = TotpConfirmation)]
pub struct Request {
    challenge: String,
    /// The code that the app shows now.
    #[schema(value_type = String, example = "123456")]
    code: Text,
    /// What the app or phone is called.
    #[schema(value_type = String, max_length = 64)]
    name: Text,
}

/// Offers a secret for an authenticator app.
#[utoipa::path(post, path = "/factors/totp/", tag = "factors", operation_id = "begin_totp",
    responses((status = 200, body = Offer), (status = 403, description = "`step_up_required`")),
    security(("bearer" = [])))]
pub async fn begin(State(app): State<App>, caller: Caller) -> Result<Body<Offer>, Problem> {
    let offer = app.commands.begin_totp(&caller.origin).await?;
    Ok(Body(Offer {
        challenge: offer.token.expose_secret().to_owned(),
        secret: offer.secret.expose_secret().to_owned(),
        otpauth_uri: offer.uri.expose_secret().to_owned(),
        expires_at: offer.expires_at.iso(),
    }))
}

/// Enrols the app; with the first factor the recovery codes are shown, once.
#[utoipa::path(post, path = "/factors/totp/confirm/", tag = "factors", operation_id = "confirm_totp",
    request_body = Request, responses((status = 201, body = EnrolledAnswer),
        (status = 400, description = "`code_wrong`, `challenge_not_valid`, `too_many_factors`, `validation`"),
        (status = 403, description = "`step_up_required`")), security(("bearer" = [])))]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<EnrolledAnswer>, Problem> {
    let mut faults = Faults::default();
    let name = faults.take("name", FactorName::parse(&request.name.0));
    let name = name.ok_or_else(|| faults.problem())?;
    let code = SecretString::from(request.code.0.trim());
    let done = app.commands.enrol_totp(&caller.origin, &request.challenge, &code, name).await?;
    Ok(app.done(StatusCode::CREATED, done.position, &[names::FACTORS], done.outcome.into()).await)
}
