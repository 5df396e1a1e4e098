//! Environments of a project and the variables in them.

mod change_variable;
mod create_environment;
mod create_variable;
mod delete_environment;
mod delete_variable;
mod import_variables;
mod update_environment;
mod value;

use std::sync::Arc;

use keynest_domain::environment::Environment;
use keynest_domain::{EnvironmentId, OrganizationId, Permission, Place, VariableId};

pub use change_variable::ChangeVariable;
pub use create_environment::CreateEnvironment;
pub use create_variable::CreateVariable;
pub use delete_environment::DeleteEnvironment;
pub use delete_variable::DeleteVariable;
pub use import_variables::{ImportVariables, Imported};
pub use update_environment::UpdateEnvironment;
pub use value::{MASKS, VariableValue, value_context};

use crate::{CommandError, Unit, claims};

impl Unit<'_> {
    /// Loads a living environment of a living project and organization, and authorises the actor there. All three
    /// become checks.
    async fn authorize_environment(
        &mut self,
        id: EnvironmentId,
        permission: Permission,
    ) -> Result<Arc<Environment>, CommandError> {
        let environment = self.load::<Environment>(id).await?;
        let Some(project) = environment.project.filter(|_| environment.is_alive()) else {
            return Err(CommandError::Absent("environment"));
        };
        let (_, organization) = self.living_project(project).await?;
        self.authorize(Place::environment(organization, project, id), permission).await?;
        Ok(environment)
    }

    /// Finds a variable's environment and authorises the actor there. A variable that is gone is absent.
    async fn authorize_variable(
        &mut self,
        id: VariableId,
        permission: Permission,
    ) -> Result<(EnvironmentId, Arc<Environment>), CommandError> {
        let absent = || CommandError::Absent("variable");
        let environment = self.home_of(id).await?.ok_or_else(absent)?;
        let state = self.authorize_environment(environment, permission).await?;
        if state.variables.contains_key(&id) { Ok((environment, state)) } else { Err(absent()) }
    }

    async fn home_of(&self, id: VariableId) -> Result<Option<EnvironmentId>, CommandError> {
        let homes = self.commands().homes();
        if let Some(environment) = homes.get(id) {
            return Ok(Some(environment));
        }
        let Some(stream) = self.resolve(&claims::variable(id)).await? else { return Ok(None) };
        let environment: EnvironmentId =
            stream.id().parse().map_err(|_| CommandError::Damaged(stream.to_string()))?;
        homes.put(id, environment);
        Ok(Some(environment))
    }
}

/// Set on creation and never changed, so a living environment has one.
fn organization_of(state: &Environment) -> Result<OrganizationId, CommandError> {
    state.organization.ok_or(CommandError::Absent("environment"))
}
