//! `DELETE environments/{id}/`: an admin ends an environment.

use axum::extract::State;
use keynest_commands::environment::DeleteEnvironment;
use keynest_domain::EnvironmentId;

use crate::core::MODELS;
use crate::extract::{Path, Principal};
use crate::{App, Done, Problem};

/// Ends an environment and its variables.
#[utoipa::path(
    delete, path = "/environments/{id}/", tag = "environments", operation_id = "delete_environment",
    params(("id" = i64, Path)), responses(
        (status = 204),
        (status = 403, description = "`role_too_weak`"),
    ), security(("bearer" = [])),
)]
pub async fn handle(
    State(app): State<App>,
    caller: Principal,
    Path(id): Path<i64>,
) -> Result<Done<()>, Problem> {
    let wish = DeleteEnvironment { environment: EnvironmentId::new(id) };
    let deleted = app.commands.delete_environment(&caller.origin, wish).await?;
    Ok(app.no_content(deleted.position, MODELS).await)
}
