//! `DELETE providers/{key}/`: nobody comes from there any more. Who has no other way in is named before that happens.

use axum::extract::State;
use keynest_commands::CommandError;
use keynest_commands::provider::RemoveProvider;
use keynest_domain::provider::Rejection;
use keynest_domain::{ProviderName, UserId};
use keynest_projections::names;
use serde::Deserialize;
use utoipa::IntoParams;

use super::list;
use crate::admin::Administrator;
use crate::extract::{Path, Query};
use crate::{App, Done, Problem};

/// Accounts that are looked at one by one for another way in.
const EXAMINED_MAX: i64 = 500;

/// What may be said beside.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wish {
    /// `true`: although people sign in by it.
    #[serde(default)]
    force: bool,
}

/// Removes a provider. Accounts keep their identities, which open nothing; sessions go on. Asks for a fresh sign-in.
#[utoipa::path(
    delete, path = "/providers/{key}/", tag = "admin", operation_id = "remove_provider",
    params(("key" = String, Path), Wish), responses(
        (status = 204),
        (status = 403, description = "`not_administrator`, `step_up_required`"),
        (status = 404, description = "`oauth_provider_unknown`"),
        (status = 409, description = "`provider_in_use`, `provider_configured`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Path(key): Path<String>,
    Query(Wish { force }): Query<Wish>,
) -> Result<Done<()>, Problem> {
    let name = list::named(&key)?;
    app.require_not_configured(&name)?;
    let (accounts, people) = accounts(&app, &name).await?;
    let wish = RemoveProvider { name: name.clone(), accounts, is_known: force };
    let removed = match app.commands.remove_provider(&caller.origin, wish).await {
        Err(CommandError::Provider(Rejection::InUse { accounts })) => {
            return Err(in_use(&app, &name, accounts, &people).await?);
        }
        removed => removed?,
    };
    app.providers.wait_for(removed.position).await;
    Ok(app.no_content(removed.position, &[]).await)
}

/// How many sign in by it, as everything up to now has it, and the first of them.
async fn accounts(app: &App, name: &ProviderName) -> Result<(u32, Vec<UserId>), Problem> {
    let head = app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))?;
    if !app.wait_for(Some(head), &[names::IDENTITIES]).await {
        return Err(Problem::new("read_model_behind"));
    }
    Ok(app.queries.accounts_of_provider(name, EXAMINED_MAX).await?)
}

async fn in_use(
    app: &App,
    name: &ProviderName,
    accounts: u32,
    people: &[UserId],
) -> Result<Problem, Problem> {
    let configured = app.providers.configured_issuers();
    let dependent = app.commands.depend_on_provider(people, name, &configured).await?;
    let ids: Vec<i64> = dependent.iter().map(|id| id.get()).collect();
    let detail = format!(
        "{accounts} accounts have an identity there; {} of them could then sign in only after a password reset by mail.",
        ids.len()
    );
    let problem = Problem::new("provider_in_use").detail(detail).with("accounts", accounts);
    Ok(problem.with("last_way_in_of", ids))
}
