//! `GET environments/{id}/variables/`: clear for those who may read values, and then on record.

use axum::extract::{OriginalUri, State};
use keynest_domain::EnvironmentId;

use crate::core::found;
use crate::core::paging::{Paged, Paging};
use crate::core::variable::{Variable, reveal};
use crate::extract::{Json, Path, Principal, Query};
use crate::{App, Problem};

/// The variables of an environment, by key.
#[utoipa::path(
    get, path = "/environments/{id}/variables/", tag = "variables", operation_id = "list_variables_of_environment",
    params(("id" = i64, Path), Paging), responses(
        (status = 200, body = Paged<Variable>),
        (status = 503, description = "`audit_unavailable`"),
    ),
    security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
    Query(paging): Query<Paging>,
    uri: OriginalUri,
) -> Result<Json<Paged<Variable>>, Problem> {
    let page = paging.page(&app.settings)?;
    let id = EnvironmentId::new(id);
    let load = || app.queries.list_variables(&caller.reader, Some(id), page);
    let listed = reveal::all(&app, &caller, load).await?;
    if listed.total == 0 {
        found(app.queries.environment(&caller.reader, id).await?)?;
    }
    Paged::new(&app.settings, &uri, page, listed, |shown| shown).map(Json)
}
