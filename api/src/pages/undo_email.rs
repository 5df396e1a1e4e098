//! The page behind a mailed link: Takes the old address back.

use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::auth::change_email;
use crate::extract::{Anyone, Path};
use crate::pages::layout;

const TITLE: &str = "Take your address back";

/// Asks for the button.
pub async fn show() -> Response {
    layout::button(
        TITLE,
        "Make this the address of your KeyNest account again, and sign out every session?",
        "Take it back",
    )
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: Anyone,
    Path((uid, token)): Path<(String, String)>,
) -> Response {
    match change_email::run_undo(&app, &caller, &uid, token).await {
        Ok(_) => layout::message(
            TITLE,
            "This address is yours again, and every session was signed out. Choose a new password with the link that was just mailed.",
        ),
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
