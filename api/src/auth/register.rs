//! Ask for an account. The answer is the same for a free and a taken address (R5, D27).

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::Register;
use keynest_crypto::{Password, password};
use keynest_domain::{Email, PersonName, Username};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::even::evenly;
use super::faults::Faults;
use crate::extract::{Anyone, Json, Text};
use crate::{App, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = RegisterRequest, example = json!({
    "username": "eve", "email": "eve@example.com", "password": "correct-Horse-7-battery",
    "confirm_password": "correct-Horse-7-battery", "first_name": "Eve", "last_name": "Smith",
}))]
pub struct Request {
    #[schema(value_type = String)]
    username: Text,
    #[schema(value_type = String)]
    email: Text,
    #[schema(value_type = String, format = Password)]
    password: Text,
    #[schema(value_type = String, format = Password)]
    confirm_password: Text,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    first_name: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    last_name: Option<Text>,
}

/// The answer: no session, so that the frontend goes to its sign-in page (R5).
#[derive(Serialize, ToSchema)]
#[schema(as = RegisterAnswer)]
pub struct Answer {
    message: &'static str,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    user: Option<()>,
    /// Always empty.
    access: &'static str,
    /// Always empty.
    refresh: &'static str,
    account: Account,
}

/// What was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredAccount)]
pub struct Account {
    username: String,
    email: String,
}

/// Registers an account and sends an activation link.
#[utoipa::path(post, path = "/register/", tag = "auth", operation_id = "register", request_body = Request,
    responses((status = 201, body = Answer), (status = 400, description = "`validation`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<(StatusCode, Json<Answer>), Problem> {
    let wish = request.parse()?;
    let account = Account {
        username: wish.username.as_str().to_owned(),
        email: wish.email.as_str().to_owned(),
    };
    evenly(app.commands.register(&caller.origin, wish)).await?;
    let message = "Registration received. Please check your mail to activate your account.";
    Ok((
        StatusCode::CREATED,
        Json(Answer { message, user: None, access: "", refresh: "", account }),
    ))
}

impl Request {
    fn parse(self) -> Result<Register, Problem> {
        let mut faults = Faults::default();
        let username = faults.take("username", Username::parse(&self.username.0));
        let email = faults.take("email", Email::parse(&self.email.0));
        let first_name = self.first_name.unwrap_or_default().0;
        let last_name = self.last_name.unwrap_or_default().0;
        let words = [self.username.0.as_str(), self.email.0.as_str(), &first_name, &last_name];
        let chosen = Password::parse(&self.password.0)
            .and_then(|chosen| password::check(&chosen, &words).map(|()| chosen));
        let password = faults.take("password", chosen);
        let is_same = self.password == self.confirm_password;
        faults.require(is_same, "confirm_password", "The two passwords differ.");
        let first_name = faults.take("first_name", PersonName::parse(&first_name));
        let last_name = faults.take("last_name", PersonName::parse(&last_name));
        match (username, email, password, first_name, last_name) {
            (Some(username), Some(email), Some(password), Some(first_name), Some(last_name))
                if faults.is_empty() =>
            {
                Ok(Register { username, email, password, first_name, last_name })
            }
            _ => Err(faults.problem()),
        }
    }
}
