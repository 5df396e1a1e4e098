//! Projects of an organization.

mod create_project;
mod delete_project;
mod update_project;

use std::sync::Arc;

use keynest_domain::project::Project;
use keynest_domain::{Permission, ProjectId};

pub use create_project::CreateProject;
pub use delete_project::DeleteProject;
pub use update_project::UpdateProject;

use crate::{CommandError, Unit};

impl Unit<'_> {
    /// Loads a living project of a living organization and authorises the actor there. Both become checks.
    pub(crate) async fn authorize_project(
        &mut self,
        id: ProjectId,
        permission: Permission,
    ) -> Result<Arc<Project>, CommandError> {
        let project = self.load::<Project>(id).await?;
        let absent = CommandError::Absent("project");
        let Some(organization) = project.organization.filter(|_| project.is_alive()) else {
            return Err(absent);
        };
        self.authorize(organization, permission).await?;
        Ok(project)
    }
}
