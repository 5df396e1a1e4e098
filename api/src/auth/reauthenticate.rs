//! Prove again who holds the session: what asks for a fresh authentication is open for a while.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::session::Reauthenticate;
use keynest_crypto::Password;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer_challenge::Given;
use super::faults::Faults;
use super::login::refusal;
use super::passkey_sign_in::Ceremony;
use super::shape::Message;
use crate::extract::{Caller, Json};
use crate::{App, Done, Problem};

/// The body: the password and, where the account has a second factor, a proof of that; a passkey stands for both.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReauthenticateRequest)]
pub struct Request {
    /// Also understood as `password`.
    #[serde(alias = "password")]
    #[schema(format = Password)]
    current_password: Option<String>,
    /// Of the options, with a passkey.
    challenge: Option<String>,
    #[serde(flatten)]
    given: Given,
}

/// What the browser needs to ask for one of the caller's passkeys.
#[utoipa::path(post, path = "/reauthenticate/options/", tag = "auth", operation_id = "begin_reauthentication",
    security(("bearer" = [])), responses((status = 200, body = Ceremony),
        (status = 400, description = "`no_second_factor`, `passkeys_off`")))]
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
) -> Result<axum::Json<Ceremony>, Problem> {
    Ok(axum::Json(app.commands.begin_reauthentication(&caller.origin).await?.into()))
}

/// Confirms that the caller is the account's owner, for the next 5 minutes.
#[utoipa::path(post, path = "/reauthenticate/", tag = "auth", operation_id = "reauthenticate",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Message), (status = 400,
            description = "`validation`, `second_factor_required`, `code_wrong`, `passkey_refused`, `challenge_not_valid`"),
        (status = 429, description = "`locked_out` after too many wrong guesses")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    let wish = request.parse()?;
    let done = app.commands.reauthenticate(&caller.origin, wish).await;
    let done = done.map_err(|error| refusal(&app, error))?;
    Ok(app.done(StatusCode::OK, done.position, &[], Message::new("Confirmed.")).await)
}

impl Request {
    fn parse(self) -> Result<Reauthenticate, Problem> {
        let mut faults = Faults::default();
        let password = self
            .current_password
            .as_deref()
            .and_then(|text| faults.take("current_password", Password::presented(text)));
        let answer = self.given.parse(&mut faults);
        let is_something = password.is_some() || answer.is_some() || !faults.is_empty();
        faults.require(is_something, "current_password", "This field is required.");
        match faults.is_empty() {
            true => Ok(Reauthenticate { password, answer, token: self.challenge }),
            false => Err(faults.problem()),
        }
    }
}
