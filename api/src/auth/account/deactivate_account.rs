//! Close the own account; an administrator opens it again.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_projections::names;

use crate::auth::shape::Message;
use crate::extract::Caller;
use crate::{App, Done, Problem};

/// Closes the caller's account: every session ends, nobody signs in, nothing is deleted. An administrator of the instance
/// opens it again.
#[utoipa::path(post, path = "/account/deactivate/", tag = "auth", operation_id = "deactivate_account",
    security(("bearer" = [])),
    responses((status = 200, body = Message),
        (status = 400, description = "`own_account` of an administrator of the instance"),
        (status = 403, description = "`step_up_required`")))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Done<Message>, Problem> {
    let done = app.commands.deactivate_own_account(&caller.origin).await?;
    app.revocations.wait_for(done.position).await;
    let message = Message::new("Account closed. Ask an administrator to open it again.");
    Ok(app.done(StatusCode::OK, done.position, &[names::SESSIONS, names::USERS], message).await)
}
