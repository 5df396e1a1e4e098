//! A member deletes a variable.

use keynest_domain::environment::{Environment, delete_variable};
use keynest_domain::{Event, Permission, VariableId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DeleteVariable {
    pub variable: VariableId,
}

impl Commands {
    /// Deletes a variable; its key is free again, its id never.
    pub async fn delete_variable(
        &self,
        origin: &Origin,
        wish: DeleteVariable,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for DeleteVariable {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (environment, state) =
            unit.authorize_variable(self.variable, Permission::DeleteVariable).await?;
        unit.stage::<Environment>(environment, delete_variable::decide(&state, self.variable)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
