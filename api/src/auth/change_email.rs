//! Another address: asked for signed in, confirmed by a link to each of the two addresses, given up, taken back.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::CommandError;
use keynest_commands::user::{ConfirmEmailChange, RequestEmailChange};
use keynest_crypto::Password;
use keynest_domain::Email;
use keynest_domain::user::Rejection;
use keynest_projections::names;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faults::Faults;
use super::login::refusal;
use super::shape::Message;
use crate::extract::{Anyone, Caller, Json, Text};
use crate::{App, Done, Problem};

/// The body.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangeEmailRequest)]
pub struct Request {
    #[schema(value_type = String, example = "ann@example.net")]
    new_email: Text,
    /// Not needed within five minutes of signing in or of `reauthenticate/`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    current_password: Option<Text>,
}

/// The two parts of a mailed link.
#[derive(Deserialize, ToSchema)]
#[schema(as = EmailLinkRequest)]
pub struct Link {
    pub uid: String,
    pub token: String,
}

/// What using a link came to.
#[derive(Serialize, ToSchema)]
#[schema(as = EmailConfirmed)]
pub struct Confirmed {
    message: &'static str,
    /// Whether both links were used, so that the address is the new one.
    pub changed: bool,
}

/// Asks for another address. The answer is the same whether it is free or not; a link goes to both addresses.
#[utoipa::path(post, path = "/change-email/", tag = "auth", operation_id = "request_email_change",
    security(("bearer" = [])), request_body = Request,
    responses((status = 200, body = Message), (status = 400, description = "`validation`"),
        (status = 403, description = "`step_up_required` without a password, and where the account has a second factor"),
        (status = 409, description = "`email_changed_recently`"),
        (status = 429, description = "`locked_out`, `too_many_email_changes`")))]
pub async fn request(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<Request>,
) -> Result<Done<Message>, Problem> {
    let wish = request.parse()?;
    let done = app.commands.request_email_change(&caller.origin, wish).await;
    let done = done.map_err(|error| when(&app, error))?;
    let message = Message::new("Please open the links that were sent to both addresses.");
    Ok(app.done(StatusCode::OK, done.position, &[], message).await)
}

/// Gives up a change of address that waits.
#[utoipa::path(delete, path = "/change-email/", tag = "auth", operation_id = "give_up_email_change",
    security(("bearer" = [])), responses((status = 200, body = Message)))]
pub async fn give_up(State(app): State<App>, caller: Caller) -> Result<Done<Message>, Problem> {
    let done = app.commands.give_up_email_change(&caller.origin).await?;
    Ok(app.done(StatusCode::OK, done.position, &[], Message::new("No change is waiting.")).await)
}

/// Uses one of the two links that confirm.
#[utoipa::path(post, path = "/change-email/confirm/", tag = "auth", operation_id = "confirm_email_change",
    request_body = Link, responses((status = 200, body = Confirmed),
        (status = 400, description = "`invalid_link`"), (status = 409, description = "`email_taken`")))]
pub async fn confirm(
    State(app): State<App>,
    caller: Anyone,
    Json(link): Json<Link>,
) -> Result<Done<Confirmed>, Problem> {
    run_confirm(&app, &caller, &link.uid, link.token).await
}

/// Gives up the change by the link to the old address.
#[utoipa::path(post, path = "/change-email/cancel/", tag = "auth", operation_id = "cancel_email_change",
    request_body = Link, responses((status = 200, body = Message), (status = 400, description = "`invalid_link`")))]
pub async fn cancel(
    State(app): State<App>,
    caller: Anyone,
    Json(link): Json<Link>,
) -> Result<Done<Message>, Problem> {
    run_cancel(&app, &caller, &link.uid, link.token).await
}

/// Takes the old address back by the link that was mailed to it; every session ends.
#[utoipa::path(post, path = "/change-email/undo/", tag = "auth", operation_id = "undo_email_change",
    request_body = Link, responses((status = 200, body = Message), (status = 400, description = "`invalid_link`"),
        (status = 409, description = "`email_taken`")))]
pub async fn undo(
    State(app): State<App>,
    caller: Anyone,
    Json(link): Json<Link>,
) -> Result<Done<Message>, Problem> {
    run_undo(&app, &caller, &link.uid, link.token).await
}

/// The same for the page behind the link.
pub async fn run_confirm(
    app: &App,
    caller: &Anyone,
    uid: &str,
    token: String,
) -> Result<Done<Confirmed>, Problem> {
    let done = app.commands.confirm_email_change(&caller.origin, wish(uid, token)?).await?;
    app.revocations.wait_for(done.position).await;
    let changed = done.outcome;
    let message = match changed {
        true => "The address was changed.",
        false => "Confirmed. The address changes when the link in the other mail was used as well.",
    };
    let models = [names::USERS, names::SESSIONS];
    let body = Confirmed { message, changed };
    Ok(app.done(StatusCode::OK, done.position, &models, body).await.without_position())
}

/// The same for the page behind the link.
pub async fn run_cancel(
    app: &App,
    caller: &Anyone,
    uid: &str,
    token: String,
) -> Result<Done<Message>, Problem> {
    let done = app.commands.cancel_email_change(&caller.origin, wish(uid, token)?).await?;
    let message = Message::new("The address stays as it is.");
    Ok(app.done(StatusCode::OK, done.position, &[], message).await.without_position())
}

/// The same for the page behind the link.
pub async fn run_undo(
    app: &App,
    caller: &Anyone,
    uid: &str,
    token: String,
) -> Result<Done<Message>, Problem> {
    let done = app.commands.undo_email_change(&caller.origin, wish(uid, token)?).await?;
    app.revocations.wait_for(done.position).await;
    let message = Message::new(
        "This address is yours again, and every session was signed out. Choose a new password with the link that was just mailed.",
    );
    let models = [names::USERS, names::SESSIONS];
    Ok(app.done(StatusCode::OK, done.position, &models, message).await.without_position())
}

fn wish(uid: &str, token: String) -> Result<ConfirmEmailChange, Problem> {
    let user = uid.parse().map_err(|_| Problem::from(Rejection::LinkInvalid))?;
    Ok(ConfirmEmailChange { user, token })
}

/// What may be tried again says when.
fn when(app: &App, error: CommandError) -> Problem {
    if let CommandError::User(
        why
        @ (Rejection::EmailChangedRecently { until } | Rejection::TooManyEmailChanges { until }),
    ) = error
    {
        let left = until.since(app.commands.clock().now()).secs();
        return Problem::from(why).retry_after(left.saturating_add(1));
    }
    refusal(app, error)
}

impl Request {
    fn parse(self) -> Result<RequestEmailChange, Problem> {
        let mut faults = Faults::default();
        let email = faults.take("new_email", Email::parse(&self.new_email.0));
        let current = self.current_password.map(|it| Password::presented(&it.0)).transpose();
        let current = faults.take("current_password", current);
        match (email, current) {
            (Some(email), Some(current)) => Ok(RequestEmailChange { email, current }),
            _ => Err(faults.problem()),
        }
    }
}
