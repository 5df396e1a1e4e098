//! `GET environments/`: the environments of the caller's teams, or of one project.

use axum::extract::{OriginalUri, State};
use keynest_domain::ProjectId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::shape::Environment;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Principal, Query};
use crate::{App, Problem};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only those of this project; what is not a number is ignored.
    #[param(value_type = Option<i64>)]
    project: Option<String>,
}

/// The environments of the caller's organizations.
#[utoipa::path(
    get, path = "/environments/", tag = "environments", operation_id = "list_environments", params(Paging, Filter),
    responses((status = 200, body = Paged<Environment>)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
    uri: OriginalUri,
) -> Result<Json<Paged<Environment>>, Problem> {
    let page = paging.page(&app.settings)?;
    let project = filter.project.and_then(|id| id.parse().ok()).map(ProjectId::new);
    let listed = app.queries.list_environments(&caller.reader, project, page).await?;
    Paged::new(&app.settings, &uri, page, listed, Environment::from).map(Json)
}
