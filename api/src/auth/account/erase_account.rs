//! Erase the own account, for good.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_commands::CommandError;
use keynest_commands::user::{EraseUser, FOOTPRINT_MAX, Footprint};
use keynest_domain::{OrganizationId, UserId};
use keynest_projections::{FootprintRows, names};
use serde_json::json;

use crate::auth::shape::Message;
use crate::extract::Caller;
use crate::{App, Done, Problem};

/// What has to show everything that was decided before the erasure.
const MODELS: &[&str] =
    &[names::USERS, names::ORGANIZATIONS, names::INVITATIONS, names::ENVIRONMENTS];

/// Erases the caller's account: name and address are forgotten everywhere, every session ends, organizations without
/// other members are deleted. Nobody can undo it; the address is free to register again.
#[utoipa::path(delete, path = "/account/", tag = "auth", operation_id = "erase_account",
    security(("bearer" = [])),
    responses((status = 200, body = Message),
        (status = 400, description = "`last_admin` with the `organizations` that need another admin first; `account_too_large`"),
        (status = 403, description = "`step_up_required`"), (status = 503, description = "`read_model_behind`")))]
pub async fn handle(State(app): State<App>, caller: Caller) -> Result<Done<Message>, Problem> {
    let footprint = footprint(&app, caller.user).await?;
    let wish = EraseUser { user: caller.user, footprint };
    let done = match app.commands.erase_own_account(&caller.origin, wish).await {
        Ok(done) => done,
        Err(CommandError::LastAdminOf(ids)) => return Err(still_needed(&app, &caller, &ids).await?),
        Err(error) => return Err(error.into()),
    };
    app.revocations.wait_for(done.position).await;
    let message = Message::new("Account deleted. This cannot be undone.");
    Ok(app.done(StatusCode::OK, done.position, MODELS, message).await)
}

/// Where the person is known. One more than may be: the command refuses what does not fit.
async fn footprint(app: &App, user: UserId) -> Result<Footprint, Problem> {
    let head = app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))?;
    if !app.wait_for(Some(head), MODELS).await {
        return Err(Problem::new("read_model_behind"));
    }
    let limit = u32::try_from(FOOTPRINT_MAX).unwrap_or(u32::MAX).saturating_add(1);
    let FootprintRows { organizations, invitations, environments } =
        app.queries.footprint(user, limit).await?;
    Ok(Footprint { organizations, invitations, environments })
}

/// The refusal, with the organizations by name.
async fn still_needed(
    app: &App,
    caller: &Caller,
    ids: &[OrganizationId],
) -> Result<Problem, Problem> {
    let profile = app.queries.profile(caller.user).await?;
    let known = profile.map(|profile| profile.organizations).unwrap_or_default();
    let named: Vec<_> = ids
        .iter()
        .map(|id| {
            let name = known.iter().find(|it| it.id == *id).map(|it| it.name.as_str());
            json!({"id": id.get(), "name": name.unwrap_or_default()})
        })
        .collect();
    Ok(Problem::from(CommandError::LastAdminOf(ids.to_vec())).with("organizations", named))
}
