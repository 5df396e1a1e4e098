//! Change the password, knowing the old one; every other session ends. Both spellings of F8 are understood.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::ChangePassword;
use keynest_crypto::Password;
use keynest_projections::names;
use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::Faults;
use super::login::refusal;
use super::shape::Message;
use crate::extract::{Caller, Json};
use crate::{App, Done, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangePasswordRequest)]
pub struct Request {
    /// Also understood as `old_password`.
    #[serde(alias = "old_password")]
    #[schema(format = Password)]
    current_password: String,
    #[schema(format = Password)]
    new_password: String,
    /// Also understood as `confirm_password`.
    #[serde(alias = "confirm_password")]
    #[schema(format = Password)]
    confirm_new_password: String,
}

/// Changes the caller's password.
#[utoipa::path(post, path = "/change-password/", tag = "auth", operation_id = "change_password",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`validation`"),
        (status = 403, description = "`step_up_required` where the account has a second factor"),
        (status = 429, description = "`locked_out` after too many wrong guesses")))]
pub async fn handle(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    let mut wish = request.parse()?;
    wish.context = app.organization_names(caller.user).await?;
    let done = app.commands.change_password(&caller.origin, wish).await;
    let done = done.map_err(|error| refusal(&app, error))?;
    app.revocations.wait_for(done.position).await;
    let message = Message::new("Password changed. Every other session was signed out.");
    Ok(app.done(StatusCode::OK, done.position, &[names::SESSIONS], message).await)
}

impl Request {
    fn parse(self) -> Result<ChangePassword, Problem> {
        let mut faults = Faults::default();
        let current = faults.take("current_password", Password::presented(&self.current_password));
        let new = faults.take("new_password", Password::parse(&self.new_password));
        let is_same = self.new_password == self.confirm_new_password;
        faults.require(is_same, "confirm_new_password", "The two passwords differ.");
        match (current, new) {
            (Some(current), Some(new)) if faults.is_empty() => {
                Ok(ChangePassword { current, new, context: Vec::new() })
            }
            _ => Err(faults.problem()),
        }
    }
}
