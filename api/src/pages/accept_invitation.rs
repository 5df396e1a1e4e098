//! The page behind an invitation.

use axum::extract::State;
use axum::response::Response;

use crate::App;
use crate::core::accept_invitation;
use crate::extract::{MaybeCaller, Path};
use crate::pages::layout;

const TITLE: &str = "Join an organization";

/// Asks for the button.
pub async fn show() -> Response {
    layout::button(TITLE, "You were invited to an organization on KeyNest.", "Accept invitation")
}

/// Uses the link.
pub async fn submit(
    State(app): State<App>,
    caller: MaybeCaller,
    Path(token): Path<String>,
) -> Response {
    match accept_invitation::run(&app, &caller, &token).await {
        Ok(joined) => {
            let text =
                format!("You are now a member of {} as {}.", joined.organization_name, joined.role);
            layout::message(TITLE, &text)
        }
        Err(problem) => layout::refusal(TITLE, &problem),
    }
}
