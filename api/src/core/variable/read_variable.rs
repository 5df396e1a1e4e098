//! `GET variables/{id}/`.

use axum::extract::State;
use keynest_domain::VariableId;

use super::{Variable, reveal};
use crate::core::found;
use crate::extract::{Json, Path, Principal};
use crate::{App, Problem};

/// A variable of one of the caller's organizations.
#[utoipa::path(
    get, path = "/variables/{id}/", tag = "variables", operation_id = "read_variable",
    params(("id" = i64, Path)), responses(
        (status = 200, body = Variable),
        (status = 503, description = "`audit_unavailable`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Variable>, Problem> {
    let load = || app.queries.variable(&caller.reader, VariableId::new(id));
    found(reveal::one(&app, &caller, load).await?).map(Json)
}
