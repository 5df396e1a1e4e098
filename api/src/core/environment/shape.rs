//! An environment as clients see it (CONTRACT 1.1).

use keynest_projections::EnvironmentRow;
use serde::Serialize;
use utoipa::ToSchema;

/// An environment.
#[derive(Serialize, ToSchema)]
pub struct Environment {
    id: i64,
    name: String,
    project: i64,
    project_name: String,
    /// `development`, `staging`, `production` or `testing` (R14).
    environment_type: &'static str,
    description: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// The full name, or the username where there is none (R21).
    created_by_name: String,
    variable_count: u32,
}

impl From<EnvironmentRow> for Environment {
    fn from(row: EnvironmentRow) -> Self {
        Self {
            id: row.id.get(),
            name: row.name,
            project: row.project.get(),
            project_name: row.project_name,
            environment_type: row.environment_type.name(),
            description: row.description,
            created_at: row.created_at.iso(),
            updated_at: row.updated_at.iso(),
            created_by_name: row.created_by_name,
            variable_count: row.variable_count,
        }
    }
}
