//! Confirm the address by the mailed link.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::user::Activate;
use keynest_domain::user::Rejection;
use keynest_projections::names;
use serde::Deserialize;
use utoipa::ToSchema;

use super::shape::Message;
use crate::extract::{Anyone, Json, Text};
use crate::{App, Done, Problem};

/// The body: the two parts of the link.
#[derive(Deserialize, ToSchema)]
#[schema(as = ActivateRequest)]
pub struct Request {
    #[schema(value_type = String)]
    uid: Text,
    #[schema(value_type = String)]
    token: Text,
}

/// Activates an account; a second click succeeds without effect.
#[utoipa::path(post, path = "/activate/", tag = "auth", operation_id = "activate", request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`invalid_link`, `validation`")))]
pub async fn handle(
    State(app): State<App>,
    caller: Anyone,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    run(&app, &caller, &request.uid.0, &request.token.0).await
}

/// The same for the page behind the link.
pub async fn run(
    app: &App,
    caller: &Anyone,
    uid: &str,
    token: &str,
) -> Result<Done<Message>, Problem> {
    let user = uid.parse().map_err(|_| Problem::from(Rejection::LinkInvalid))?;
    let wish = Activate { user, token: token.to_owned() };
    let activated = app.commands.activate(&caller.origin, wish).await?;
    let message = Message::new("Account activated. You can sign in now.");
    Ok(app
        .done(StatusCode::OK, activated.position, &[names::USERS], message)
        .await
        .without_position())
}
