//! Projects of an organization.

mod create_project;
mod delete_project;
mod update_project;

use std::sync::Arc;

use keynest_domain::project::Project;
use keynest_domain::{OrganizationId, Permission, Place, ProjectId};

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
        let (project, organization) = self.living_project(id).await?;
        self.authorize(Place::project(organization, id), permission).await?;
        Ok(project)
    }

    /// A living project and its organization, for whoever authorises the actor next.
    pub(crate) async fn living_project(
        &mut self,
        id: ProjectId,
    ) -> Result<(Arc<Project>, OrganizationId), CommandError> {
        let project = self.load::<Project>(id).await?;
        let living = project.organization.filter(|_| project.is_alive());
        let organization = living.ok_or(CommandError::Absent("project"))?;
        Ok((project, organization))
    }
}
