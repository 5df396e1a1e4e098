//! The page behind a mailed link: Gives up a change of address.

use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::auth::change_email;
use crate::extract::{Anyone, Path};
use crate::pages::layout;

const TITLE: &str = "Keep your address";

/// Asks for the button.
pub async fn show() -> Response {
    layout::button(
        TITLE,
        "Somebody asked for another address for your KeyNest account. Stop that?",
        "Keep this address",
    )
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: Anyone,
    Path((uid, token)): Path<(String, String)>,
) -> Response {
    match change_email::run_cancel(&app, &caller, &uid, token).await {
        Ok(_) => layout::message(
            TITLE,
            "The address stays as it is. If you did not ask for another one, change your password.",
        ),
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
