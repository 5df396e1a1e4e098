//! Ask for a link that sets a new password. The answer is the same for every address (D27).

use axum::extract::State;

use super::even::evenly;
use super::resend_activation::Request;
use super::shape::Message;
use crate::extract::{Anyone, Json};
use crate::throttle::Meter;
use crate::{App, Problem};

/// Sends a reset link if the address has an active account.
#[utoipa::path(post, path = "/password-reset/", tag = "auth", operation_id = "request_password_reset",
    request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`validation`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    meter: Meter,
    Json(request): Json<Request>,
) -> Result<Json<Message>, Problem> {
    let email = request.parse()?;
    meter.account(&email).await?;
    evenly(app.commands.request_password_reset(&caller.origin, email)).await?;
    Ok(Json(Message::new("If the address has an account, a reset link is on its way.")))
}
