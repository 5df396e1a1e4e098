//! `POST users/{id}/deactivate/` and `reactivate/`: an administrator closes an account, and opens it again.

use axum::extract::State;
use axum::http::StatusCode;
use keynest_domain::UserId;
use keynest_projections::names;

use super::Administrator;
use super::list_users::Account;
use crate::extract::Path;
use crate::reply::Shown;
use crate::{App, Done, Problem};

/// Closes an account: every session ends, and nobody signs in.
#[utoipa::path(
    post, path = "/users/{id}/deactivate/", tag = "admin", operation_id = "deactivate_user",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Shown<Account>),
        (status = 400, description = "`own_account`"),
        (status = 403, description = "`not_administrator`"),
        (status = 404, description = "`not_found`"),
    ),
    security(("bearer" = [])),
)]
pub async fn deactivate(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Path(id): Path<i64>,
) -> Result<Done<Account>, Problem> {
    let id = UserId::new(id);
    let closed = app.commands.administer_deactivation(&caller.origin, id).await?;
    app.revocations.wait_for(closed.position).await;
    let load = || async { Ok(app.queries.user(id).await?.map(Account::from)) };
    app.answer(StatusCode::OK, closed.position, &[names::USERS], id.get(), load).await
}

/// Opens a closed account again; old sessions stay ended.
#[utoipa::path(
    post, path = "/users/{id}/reactivate/", tag = "admin", operation_id = "reactivate_user",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Shown<Account>),
        (status = 403, description = "`not_administrator`"),
        (status = 404, description = "`not_found`"),
    ),
    security(("bearer" = [])),
)]
pub async fn reactivate(
    State(app): State<App>,
    Administrator(caller): Administrator,
    Path(id): Path<i64>,
) -> Result<Done<Account>, Problem> {
    let id = UserId::new(id);
    let opened = app.commands.administer_reactivation(&caller.origin, id).await?;
    let load = || async { Ok(app.queries.user(id).await?.map(Account::from)) };
    app.answer(StatusCode::OK, opened.position, &[names::USERS], id.get(), load).await
}
