//! Organizations, projects, environments, variables, and who did what with them.

pub(crate) mod accept_invitation;
mod audit_log;
mod environment;
pub(crate) mod given;
mod index;
mod organization;
pub(crate) mod paging;
mod project;
mod refusals;
mod service_token;
mod trust;
mod variable;

pub(crate) use audit_log::AuditLog;
use std::future::Future;

use keynest_commands::CommandError;
use keynest_domain::{OrganizationId, Permission, Role, authorize};
use keynest_projections::{QueryError, names};
use utoipa_axum::router::OpenApiRouter;

use crate::{App, Problem};

pub use index::index_router;
pub use refusals::record as record_refusals;

/// What the answers here are read from: a change is answered once all of it shows it.
pub const MODELS: &[&str] = &[
    names::ORGANIZATIONS,
    names::INVITATIONS,
    names::PROJECTS,
    names::ENVIRONMENTS,
    names::VARIABLES,
];

/// Everything under `/api/core`.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(organization::router())
        .merge(project::router())
        .merge(environment::router())
        .merge(variable::router())
        .merge(audit_log::router())
        .merge(service_token::router())
        .merge(trust::router())
}

/// A row in the shape of the answer.
async fn shaped<R, T: From<R>>(
    row: impl Future<Output = Result<Option<R>, QueryError>>,
) -> Result<Option<T>, QueryError> {
    Ok(row.await?.map(T::from))
}

/// What is not there, or not for this caller, is not found.
fn found<T>(row: Option<T>) -> Result<T, Problem> {
    row.ok_or_else(|| Problem::new("not_found"))
}

/// The one authorisation function, for queries whose rows come with the caller's role.
fn require(
    organization: OrganizationId,
    role: Option<Role>,
    permission: Permission,
) -> Result<(), Problem> {
    let denied = |why| CommandError::Denied { organization, why }.into();
    authorize(role, permission).map(drop).map_err(denied)
}
