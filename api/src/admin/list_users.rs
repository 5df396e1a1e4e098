//! `GET users/`: all accounts, for administrators of the instance.

use axum::extract::{OriginalUri, State};
use keynest_domain::Timestamp;
use keynest_projections::{UserRow, UserStanding};
use serde::Serialize;
use utoipa::ToSchema;

use super::Administrator;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Query};
use crate::{App, Problem};

/// An account as administrators of the instance see it.
#[derive(Serialize, ToSchema)]
pub struct Account {
    id: i64,
    email: String,
    username: String,
    /// `inactive` until the address is confirmed, `active`, or `deactivated`.
    standing: &'static str,
    is_administrator: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_login: Option<String>,
}

/// All accounts, oldest first.
#[utoipa::path(
    get, path = "/users/", tag = "admin", operation_id = "list_users",
    params(Paging), responses(
        (status = 200, body = Paged<Account>),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    _: Administrator,
    uri: OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<Json<Paged<Account>>, Problem> {
    let page = paging.page(&app.settings)?;
    let listed = app.queries.list_users(page).await?;
    Ok(Json(Paged::new(&app.settings, &uri, page, listed, Account::from)?))
}

impl From<UserRow> for Account {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.get(),
            standing: match row.standing {
                UserStanding::Inactive => "inactive",
                UserStanding::Active => "active",
                UserStanding::Deactivated => "deactivated",
                UserStanding::Erased => "erased",
            },
            is_administrator: row.is_administrator,
            created_at: row.date_joined.iso(),
            last_login: row.last_login.map(Timestamp::iso),
            email: row.email,
            username: row.username,
        }
    }
}
