//! Set a new password by the mailed link; every session ends.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::ConfirmPasswordReset;
use keynest_crypto::Password;
use keynest_domain::UserId;
use keynest_domain::user::Rejection;
use keynest_projections::names;
use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::Faults;
use super::shape::Message;
use crate::extract::{Anyone, Json};
use crate::{App, Done, Problem};

/// The body: the two parts of the link, and the password twice.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordResetConfirmRequest)]
pub struct Request {
    pub uid: String,
    pub token: String,
    #[schema(format = Password)]
    pub new_password: String,
    #[schema(format = Password)]
    pub confirm_password: String,
}

/// Sets a new password by a mailed link.
#[utoipa::path(post, path = "/password-reset-confirm/", tag = "auth", operation_id = "confirm_password_reset",
    request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`invalid_link`, `validation`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    run(&app, &caller, request).await
}

/// The same for the page behind the link.
pub async fn run(app: &App, caller: &Anyone, request: Request) -> Result<Done<Message>, Problem> {
    let mut wish = request.parse()?;
    wish.context = app.organization_names(wish.user).await?;
    let done = app.commands.confirm_password_reset(&caller.origin, wish).await?;
    app.revocations.wait_for(done.position).await;
    let message = Message::new("Password set. You can sign in now.");
    Ok(app
        .done(StatusCode::OK, done.position, &[names::SESSIONS], message)
        .await
        .without_position())
}

impl Request {
    fn parse(self) -> Result<ConfirmPasswordReset, Problem> {
        let mut faults = Faults::default();
        let user: Option<UserId> = self.uid.parse().ok();
        let password = faults.take("new_password", Password::parse(&self.new_password));
        let is_same = self.new_password == self.confirm_password;
        faults.require(is_same, "confirm_password", "The two passwords differ.");
        match (user, password) {
            (Some(user), Some(password)) if faults.is_empty() => {
                Ok(ConfirmPasswordReset { user, token: self.token, password, context: Vec::new() })
            }
            (None, Some(_)) if faults.is_empty() => Err(Rejection::LinkInvalid.into()),
            _ => Err(faults.problem()),
        }
    }
}
