//! A project as clients see it (CONTRACT 1.1).

use keynest_projections::ProjectRow;
use serde::Serialize;
use utoipa::ToSchema;

/// A project.
#[derive(Serialize, ToSchema)]
pub struct Project {
    id: i64,
    name: String,
    description: Option<String>,
    organization: i64,
    organization_name: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// The full name, or the username where there is none (R21).
    created_by_name: String,
    environment_count: u32,
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Self {
            id: row.id.get(),
            name: row.name,
            description: row.description,
            organization: row.organization.get(),
            organization_name: row.organization_name,
            created_at: row.created_at.iso(),
            updated_at: row.updated_at.iso(),
            created_by_name: row.created_by_name,
            environment_count: row.environment_count,
        }
    }
}
