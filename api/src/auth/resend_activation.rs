//! Ask for another activation link. The answer is the same for every address.

use axum::extract::State;
use keynest_domain::Email;
use serde::Deserialize;
use utoipa::ToSchema;

use super::even::evenly;
use super::faults::Faults;
use super::shape::Message;
use crate::extract::{Anyone, Json, Text};
use crate::throttle::Meter;
use crate::{App, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = AddressRequest)]
pub struct Request {
    #[schema(value_type = String, example = "ann@example.com")]
    email: Text,
}

/// Sends another activation link if the address waits for one.
#[utoipa::path(post, path = "/activation/resend/", tag = "auth", operation_id = "resend_activation",
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
    evenly(app.commands.resend_activation(&caller.origin, email)).await?;
    Ok(Json(Message::new("If the address waits for activation, a new link is on its way.")))
}

impl Request {
    /// The address, which is all there is.
    pub(super) fn parse(self) -> Result<Email, Problem> {
        let mut faults = Faults::default();
        faults.take("email", Email::parse(&self.email.0)).ok_or_else(|| faults.problem())
    }
}
