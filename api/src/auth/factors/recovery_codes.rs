//! `POST factors/recovery-codes/`: new codes for a lost factor.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_projections::names;
use serde::Serialize;
use utoipa::ToSchema;

use super::shown;
use crate::extract::Caller;
use crate::{App, Done, Problem};

/// The codes.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct Answer {
    /// Shown this once; null when the request is repeated.
    #[schema(value_type = Option<Vec<String>>)]
    recovery_codes: Option<Vec<String>>,
}

/// Makes ten new recovery codes; the old ones are dead.
#[utoipa::path(post, path = "/factors/recovery-codes/", tag = "factors", operation_id = "renew_recovery_codes",
    responses((status = 201, body = Answer), (status = 400, description = "`no_second_factor`"),
        (status = 403, description = "`step_up_required`")), security(("bearer" = [])))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Done<Answer>, Problem> {
    let done = app.commands.renew_recovery_codes(&caller.origin).await?;
    let answer = Answer { recovery_codes: done.outcome.map(shown) };
    Ok(app.done(StatusCode::CREATED, done.position, &[names::FACTORS], answer).await)
}
