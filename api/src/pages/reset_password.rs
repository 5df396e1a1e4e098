//! The page behind the mail for a new password.

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use crate::App;
use crate::auth::password_reset_confirm;
use crate::extract::{Anyone, Path};
use crate::pages::layout;

const TITLE: &str = "Choose a new password";

/// What the form sends.
#[derive(Deserialize)]
pub struct Fields {
    new_password: String,
    confirm_password: String,
}

/// Asks for the password.
pub async fn show() -> Response {
    let content = html! {
        form method="post" {
            label { "New password" input type="password" name="new_password" autocomplete="new-password" required; }
            label { "Again" input type="password" name="confirm_password" autocomplete="new-password" required; }
            button { "Set password" }
        }
    };
    layout::page(StatusCode::OK, TITLE, &content)
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: Anyone,
    Path((uid, token)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Response {
    let request = password_reset_confirm::Request {
        uid,
        token,
        new_password: fields.new_password,
        confirm_password: fields.confirm_password,
    };
    match password_reset_confirm::run(&app, &caller, request).await {
        Ok(_) => layout::message(
            TITLE,
            "Your password is set, and all sessions were signed out. You can sign in now.",
        ),
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
