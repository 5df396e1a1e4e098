//! A member makes an environment.

use keynest_domain::environment::{self, Environment, EnvironmentCreated, Rejection};
use keynest_domain::{
    Aggregate, Description, EnvironmentId, EnvironmentName, EnvironmentType, Event, Permission,
    ProjectId,
};

use crate::sealed_names::Names;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateEnvironment {
    pub project: ProjectId,
    pub name: EnvironmentName,
    pub environment_type: EnvironmentType,
    pub description: Option<Description>,
}

impl Commands {
    /// Makes an environment.
    pub async fn create_environment(
        &self,
        origin: &Origin,
        wish: CreateEnvironment,
    ) -> Result<Executed<EnvironmentId>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for CreateEnvironment {
    type Outcome = EnvironmentId;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let project = unit.authorize_project(self.project, Permission::CreateEnvironment).await?;
        let organization = project.organization.ok_or(CommandError::Absent("project"))?;
        let creator = unit.actor()?;
        let claim = claims::environment_name(unit.commands().keyring(), self.project, &self.name);
        if unit.resolve(&claim).await?.is_some() {
            return Err(Rejection::NameTaken.into());
        }
        let id = EnvironmentId::new(unit.commands().clock().integer_id());
        let description = self.description.as_ref().map(|text| text.as_str().to_owned());
        let names = Names { name: self.name.as_str().to_owned(), description };
        let sealed =
            unit.seal_names::<Environment>(organization, id, "environment.created", &names).await?;
        let wish = EnvironmentCreated {
            environment: id,
            project: self.project,
            organization,
            name: sealed.name,
            environment_type: self.environment_type,
            description: sealed.description,
            creator,
        };
        unit.stage::<Environment>(id, environment::create(&Environment::default(), wish)?);
        unit.claim(claim, Environment::stream(id));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> EnvironmentId {
        events.iter().find_map(created).expect("making an environment always appends its creation")
    }
}

fn created(event: &Event) -> Option<EnvironmentId> {
    let Event::Environment(environment::Event::EnvironmentCreated(it)) = event else { return None };
    Some(it.environment)
}
