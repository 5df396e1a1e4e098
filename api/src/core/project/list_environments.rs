//! `GET projects/{id}/environments/`.

use axum::extract::{OriginalUri, State};
use keynest_domain::ProjectId;

use crate::core::environment::Environment;
use crate::core::found;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Path, Principal, Query};
use crate::{App, Problem};

/// The environments of a project.
#[utoipa::path(
    get, path = "/projects/{id}/environments/", tag = "environments", operation_id = "list_environments_of_project",
    params(("id" = i64, Path), Paging), responses((status = 200, body = Paged<Environment>)),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    Query(paging): Query<Paging>,
    uri: OriginalUri,
) -> Result<Json<Paged<Environment>>, Problem> {
    let page = paging.page(&app.settings)?;
    let id = ProjectId::new(id);
    let listed = app.queries.list_environments(&caller.reader, Some(id), page).await?;
    if listed.total == 0 {
        found(app.queries.project(&caller.reader, id).await?)?;
    }
    Paged::new(&app.settings, &uri, page, listed, Environment::from).map(Json)
}
