//! `GET variables/`: the variables of all of the caller's teams.

use axum::extract::{OriginalUri, State};

use super::{Variable, reveal};
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Principal, Query};
use crate::{App, Problem};

/// The variables of the caller's organizations, by key.
#[utoipa::path(
    get, path = "/variables/", tag = "variables", operation_id = "list_variables", params(Paging),
    responses(
        (status = 200, body = Paged<Variable>),
        (status = 503, description = "`audit_unavailable`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Query(paging): Query<Paging>,
    uri: OriginalUri,
) -> Result<Json<Paged<Variable>>, Problem> {
    let page = paging.page(&app.settings)?;
    let load = || app.queries.list_variables(&caller.reader, None, page);
    let listed = reveal::all(&app, &caller, load).await?;
    Paged::new(&app.settings, &uri, page, listed, |shown| shown).map(Json)
}
