//! Prove again who holds the session: what asks for a fresh authentication is open for a while.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_crypto::Password;
use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::Faults;
use super::login::refusal;
use super::shape::Message;
use crate::extract::{Caller, Json};
use crate::{App, Done, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReauthenticateRequest)]
pub struct Request {
    /// Also understood as `password`.
    #[serde(alias = "password")]
    #[schema(format = Password)]
    current_password: String,
}

/// Confirms that the caller is the account's owner, for the next 5 minutes.
#[utoipa::path(post, path = "/reauthenticate/", tag = "auth", operation_id = "reauthenticate",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`validation`"),
        (status = 429, description = "`locked_out` after too many wrong guesses")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    let password = request.parse()?;
    let done = app.commands.reauthenticate(&caller.origin, &password).await;
    let done = done.map_err(|error| refusal(&app, error))?;
    Ok(app.done(StatusCode::OK, done.position, &[], Message::new("Confirmed.")).await)
}

impl Request {
    fn parse(self) -> Result<Password, Problem> {
        let mut faults = Faults::default();
        let password = faults.take("current_password", Password::presented(&self.current_password));
        password.ok_or_else(|| faults.problem())
    }
}
