//! A member renames, describes or retypes an environment.

use keynest_domain::environment::{self, Environment, EnvironmentUpdated, Rejection};
use keynest_domain::{
    Aggregate, Description, EnvironmentId, EnvironmentName, EnvironmentType, Event, Permission,
    ProjectId,
};

use super::organization_of;
use crate::sealed_names::Standing;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish; `None` leaves a part as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateEnvironment {
    pub environment: EnvironmentId,
    /// The parent that the caller named; refused unless it is the one it has.
    pub project: Option<ProjectId>,
    pub name: Option<EnvironmentName>,
    pub environment_type: Option<EnvironmentType>,
    pub description: Option<Option<Description>>,
}

impl Commands {
    /// Changes name, type or description.
    pub async fn update_environment(
        &self,
        origin: &Origin,
        wish: UpdateEnvironment,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for UpdateEnvironment {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.environment;
        let state = unit.authorize_environment(id, Permission::UpdateEnvironment).await?;
        environment::require_parent(&state, self.project)?;
        let organization = organization_of(&state)?;
        let standing = Standing {
            sealed_by: state.sealed_by,
            name: state.name.as_ref(),
            description: state.description.as_ref(),
        };
        let before = unit.open_names::<Environment>(organization, id, standing).await?;
        let description =
            self.description.as_ref().map(|text| text.as_ref().map(Description::as_str));
        let after = before.changed(self.name.as_ref().map(EnvironmentName::as_str), description);
        let environment_type = self.environment_type.unwrap_or(state.environment_type);
        if after == before && environment_type == state.environment_type {
            return Ok(());
        }
        if let Some(project) = state.project.filter(|_| after.name != before.name) {
            let keyring = unit.commands().keyring();
            let wanted = claims::environment_name_text(keyring, project, &after.name);
            if unit.resolve(&wanted).await?.is_some() {
                return Err(Rejection::NameTaken.into());
            }
            unit.release(claims::environment_name_text(keyring, project, &before.name));
            unit.claim(wanted, Environment::stream(id));
        }
        let sealed =
            unit.seal_names::<Environment>(organization, id, "environment.updated", &after).await?;
        let wish = EnvironmentUpdated {
            name: sealed.name,
            environment_type,
            description: sealed.description,
        };
        unit.stage::<Environment>(id, environment::update(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
