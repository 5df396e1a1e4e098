//! `GET organizations/`: how many there are and how large they are; no names, since administrators are no members.

use axum::extract::{OriginalUri, State};
use keynest_projections::OrganizationCounts;
use serde::Serialize;
use utoipa::ToSchema;

use super::Administrator;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Query};
use crate::{App, Problem};

/// An organization as administrators of the instance see it.
#[derive(Serialize, ToSchema)]
pub struct Counts {
    id: i64,
    #[schema(format = DateTime)]
    created_at: String,
    member_count: u32,
    project_count: u32,
    environment_count: u32,
    variable_count: u32,
}

/// All organizations with their sizes, oldest first.
#[utoipa::path(
    get, path = "/organizations/", tag = "admin", operation_id = "count_organizations",
    params(Paging), responses(
        (status = 200, body = Paged<Counts>),
        (status = 403, description = "`not_administrator`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    _: Administrator,
    uri: OriginalUri,
    Query(paging): Query<Paging>,
) -> Result<Json<Paged<Counts>>, Problem> {
    let page = paging.page(&app.settings)?;
    let listed = app.queries.count_organizations(page).await?;
    Ok(Json(Paged::new(&app.settings, &uri, page, listed, Counts::from)?))
}

impl From<OrganizationCounts> for Counts {
    fn from(row: OrganizationCounts) -> Self {
        Self {
            id: row.id.get(),
            created_at: row.created_at.iso(),
            member_count: row.member_count,
            project_count: row.project_count,
            environment_count: row.environment_count,
            variable_count: row.variable_count,
        }
    }
}
