//! An admin ends an environment.

use keynest_domain::environment::{self, Environment};
use keynest_domain::{EnvironmentId, Event, Permission};

use super::organization_of;
use crate::sealed_names::Standing;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DeleteEnvironment {
    pub environment: EnvironmentId,
}

impl Commands {
    /// Ends an environment and its variables; its name is free again.
    pub async fn delete_environment(
        &self,
        origin: &Origin,
        wish: DeleteEnvironment,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for DeleteEnvironment {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.environment;
        let state = unit.authorize_environment(id, Permission::DeleteEnvironment).await?;
        let standing =
            Standing { sealed_by: state.sealed_by, name: state.name.as_ref(), description: None };
        let names = unit.open_names::<Environment>(organization_of(&state)?, id, standing).await?;
        if let Some(project) = state.project {
            let keyring = unit.commands().keyring();
            unit.release(claims::environment_name_text(keyring, project, &names.name));
        }
        unit.stage::<Environment>(id, environment::delete(&state)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
