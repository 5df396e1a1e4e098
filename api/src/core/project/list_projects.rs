//! `GET projects/`: the projects of the caller's teams, or of one of them.

use axum::extract::{OriginalUri, State};
use keynest_domain::OrganizationId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::shape::Project;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Principal, Query};
use crate::{App, Problem};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only those of this organization; what is not a number is ignored.
    #[param(value_type = Option<i64>)]
    organization: Option<String>,
}

/// The projects of the caller's organizations.
#[utoipa::path(
    get, path = "/projects/", tag = "projects", operation_id = "list_projects", params(Paging, Filter),
    responses((status = 200, body = Paged<Project>)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    uri: OriginalUri,
) -> Result<Json<Paged<Project>>, Problem> {
    let page = paging.page(&app.settings)?;
    let organization = filter.organization.and_then(|id| id.parse().ok()).map(OrganizationId::new);
    let listed = app.queries.list_projects(&caller.reader, organization, page).await?;
    Paged::new(&app.settings, &uri, page, listed, Project::from).map(Json)
}
