//! The page behind the activation mail.

use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::auth::activate;
use crate::extract::{Anyone, Path};
use crate::pages::layout;

const TITLE: &str = "Activate your account";

/// Asks for the button.
pub async fn show() -> Response {
    layout::button(TITLE, "One more step: confirm that this address is yours.", "Activate account")
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: Anyone,
    Path((uid, token)): Path<(String, String)>,
) -> Response {
    match activate::run(&app, &caller, &uid, &token).await {
        Ok(_) => layout::message(TITLE, "Your account is active. You can sign in now."),
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
