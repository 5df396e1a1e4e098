//! A member renames or describes a project.

use keynest_domain::project::{self, Project, ProjectUpdated};
use keynest_domain::{Description, Event, OrganizationId, Permission, ProjectId, ProjectName};

use crate::sealed_names::Standing;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish; `None` leaves a part as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateProject {
    pub project: ProjectId,
    /// The parent that the caller named; refused unless it is the one it has.
    pub organization: Option<OrganizationId>,
    pub name: Option<ProjectName>,
    pub description: Option<Option<Description>>,
}

impl Commands {
    /// Changes name or description.
    pub async fn update_project(
        &self,
        origin: &Origin,
        wish: UpdateProject,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for UpdateProject {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.project;
        let state = unit.authorize_project(id, Permission::UpdateProject).await?;
        project::require_parent(&state, self.organization)?;
        let organization = state.organization.ok_or(CommandError::Absent("project"))?;
        let standing = Standing {
            sealed_by: state.sealed_by,
            name: state.name.as_ref(),
            description: state.description.as_ref(),
        };
        let before = unit.open_names::<Project>(organization, id, standing).await?;
        let description =
            self.description.as_ref().map(|text| text.as_ref().map(Description::as_str));
        let after = before.changed(self.name.as_ref().map(ProjectName::as_str), description);
        if after == before {
            return Ok(());
        }
        let sealed =
            unit.seal_names::<Project>(organization, id, "project.updated", &after).await?;
        let wish = ProjectUpdated {
            name: sealed.name,
            description: sealed.description,
            is_renamed: after.name != before.name,
        };
        unit.stage::<Project>(id, project::update(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
