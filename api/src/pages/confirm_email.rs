//! The page behind a mailed link: Confirms from one side; the address changes with the second.

use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::auth::change_email;
use crate::extract::{Anyone, Path};
use crate::pages::layout;

const TITLE: &str = "Confirm another address";

/// Asks for the button.
pub async fn show() -> Response {
    layout::button(TITLE, "Change the address of your KeyNest account?", "Confirm")
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: Anyone,
    Path((uid, token)): Path<(String, String)>,
) -> Response {
    match change_email::run_confirm(&app, &caller, &uid, token).await {
        Ok(_) => layout::message(
            TITLE,
            "Confirmed. The address is changed as soon as the links in both mails were used.",
        ),
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
