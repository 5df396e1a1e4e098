//! Sign in. Every refusal is the same, and none is 401 (R4, D8).

use axum::extract::State;
use keynest_commands::login::{LogIn, SignIn};
use keynest_commands::{CommandError, Executed};
use keynest_crypto::Password;
use keynest_domain::{Email, login};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faults::Faults;
use super::shape::User;
use super::tokens::Tokens;
use crate::extract::{Anyone, Json, Text};
use crate::throttle::Meter;
use crate::{App, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = LoginRequest)]
pub struct Request {
    #[schema(value_type = String, example = "ann@example.com")]
    email: Text,
    #[schema(value_type = String, format = Password)]
    password: Text,
}

/// The answer.
#[derive(Serialize, ToSchema)]
#[schema(as = LoginAnswer)]
pub struct Answer {
    access: String,
    refresh: String,
    user: User,
    message: &'static str,
}

/// Signs in with address and password.
#[utoipa::path(post, path = "/login/", tag = "auth", operation_id = "log_in", request_body = Request,
    responses((status = 200, body = Answer), (status = 400, description = "`invalid_credentials`, `second_factor_required`, `validation`"),
        (status = 403, description = "`account_inactive`, for the right password"),
        (status = 429, description = "`locked_out`, `throttled`"), (status = 503, description = "`read_model_behind`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    meter: Meter,
    Json(request): Json<Request>,
) -> Result<axum::Json<Answer>, Problem> {
    let wish = request.parse()?;
    meter.account(&wish.email).await?;
    let executed =
        app.commands.log_in(&caller.origin, wish).await.map_err(|error| refusal(&app, error))?;
    app.login_answer(executed).await
}

impl App {
    /// What every way to sign in answers, or the question for the second factor.
    pub(super) async fn login_answer(
        &self,
        executed: Executed<SignIn>,
    ) -> Result<axum::Json<Answer>, Problem> {
        let Tokens { access, refresh, profile } = self.sign_in(executed).await?;
        let user = User::from(&profile.user);
        Ok(axum::Json(Answer { access, refresh, user, message: "Signed in" }))
    }
}

/// A lock says how long it lasts.
pub(super) fn refusal(app: &App, error: CommandError) -> Problem {
    if let CommandError::Login(login::Rejection::Locked { until }) = error {
        let left = until.since(app.commands.clock().now()).secs();
        return Problem::new("locked_out").retry_after(left.saturating_add(1));
    }
    error.into()
}

impl Request {
    fn parse(self) -> Result<LogIn, Problem> {
        let mut faults = Faults::default();
        let email = faults.take("email", Email::parse(&self.email.0));
        let password = faults.take("password", Password::presented(&self.password.0));
        match (email, password) {
            (Some(email), Some(password)) => Ok(LogIn { email, password }),
            _ => Err(faults.problem()),
        }
    }
}
