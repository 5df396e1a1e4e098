//! A member makes a project.

use keynest_domain::project::{self, Project, ProjectCreated};
use keynest_domain::{Description, Event, OrganizationId, Permission, ProjectId, ProjectName};

use crate::sealed_names::Names;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateProject {
    pub organization: OrganizationId,
    pub name: ProjectName,
    pub description: Option<Description>,
}

impl Commands {
    /// Makes a project.
    pub async fn create_project(
        &self,
        origin: &Origin,
        wish: CreateProject,
    ) -> Result<Executed<ProjectId>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for CreateProject {
    type Outcome = ProjectId;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let organization = self.organization;
        unit.authorize(organization, Permission::CreateProject).await?;
        let creator = unit.actor()?;
        let id = ProjectId::new(unit.commands().clock().integer_id());
        let description = self.description.as_ref().map(|text| text.as_str().to_owned());
        let names = Names { name: self.name.as_str().to_owned(), description };
        let sealed =
            unit.seal_names::<Project>(organization, id, "project.created", &names).await?;
        let wish = ProjectCreated {
            project: id,
            organization,
            name: sealed.name,
            description: sealed.description,
            creator,
        };
        unit.stage::<Project>(id, project::create(&Project::default(), wish)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> ProjectId {
        events.iter().find_map(created).expect("making a project always appends its creation")
    }
}

fn created(event: &Event) -> Option<ProjectId> {
    let Event::Project(project::Event::ProjectCreated(it)) = event else { return None };
    Some(it.project)
}
