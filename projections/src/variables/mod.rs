//! Living variables, their values sealed, and every value they ever had.

mod apply;
mod export;
mod of_environment;
mod query;

use keynest_crypto::{Context, Subject};
use keynest_domain::environment::Environment;
use keynest_domain::{
    Aggregate, EnvironmentId, OrganizationId, ProjectId, Role, Sealed, Timestamp, VariableId,
};
use keynest_store::Revision;

pub use apply::Variables;
pub use export::{EXPORT_MAX, Export, ExportedVariable};

/// A variable as a member of its team finds it; whether the value may be opened is the caller's next step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariableRow {
    pub id: VariableId,
    pub key: String,
    pub value: Sealed,
    pub version: u32,
    pub environment: EnvironmentId,
    pub environment_name: String,
    pub project: ProjectId,
    pub project_name: String,
    pub organization: OrganizationId,
    /// Of the organization's stream, for the check when the reading is recorded.
    pub organization_revision: Revision,
    /// The caller's.
    pub role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by_name: String,
}

/// Where a value may be opened: the same place for creating, changing and importing.
pub fn value_context(environment: EnvironmentId, variable: VariableId, version: u32) -> Context {
    Context::new(
        Subject::Environment(environment),
        Environment::stream(environment),
        "variable",
        format!("{variable}/{version}"),
    )
}
