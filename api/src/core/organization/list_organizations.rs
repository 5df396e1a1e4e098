//! `GET organizations/`: the caller's teams.

use axum::extract::{OriginalUri, State};

use super::shape::Organization;
use crate::core::paging::{Paged, Paging};
use crate::extract::{Json, Principal, Query};
use crate::{App, Problem};

/// The caller's organizations.
#[utoipa::path(
    get, path = "/organizations/", tag = "organizations", operation_id = "list_organizations", params(Paging),
    responses((status = 200, body = Paged<Organization>)), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Query(paging): Query<Paging>,
    uri: OriginalUri,
) -> Result<Json<Paged<Organization>>, Problem> {
    let page = paging.page(&app.settings)?;
    let listed = app.queries.list_organizations(&caller.reader, page).await?;
    Paged::new(&app.settings, &uri, page, listed, Organization::from).map(Json)
}
