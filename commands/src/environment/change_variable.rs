//! A member gives a variable another key, another value, or both.

use keynest_domain::environment::{Environment, change_variable};
use keynest_domain::{EnvironmentId, Event, Permission, VariableId, VariableKey};

use super::{VariableValue, value_context};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish; `None` leaves a part as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeVariable {
    pub variable: VariableId,
    /// The parent that the caller named; refused unless it is the one it has (D4).
    pub environment: Option<EnvironmentId>,
    pub key: Option<VariableKey>,
    pub value: Option<VariableValue>,
}

impl Commands {
    /// Changes a variable; every value that is given is a new version.
    pub async fn change_variable(
        &self,
        origin: &Origin,
        wish: &ChangeVariable,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, wish).await
    }
}

impl UseCase for ChangeVariable {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let variable = self.variable;
        let (environment, state) =
            unit.authorize_variable(variable, Permission::UpdateVariable).await?;
        let version = state.next_version(variable).ok_or(CommandError::Absent("variable"))?;
        let value = match &self.value {
            None => None,
            Some(value) => {
                let context = value_context(environment, variable, version);
                let keyring = unit.commands().keyring();
                Some(keyring.seal(&context, value.expose().as_bytes()).await?)
            }
        };
        let wish = change_variable::ChangeVariable {
            variable,
            environment: self.environment,
            key: self.key.clone(),
            value,
        };
        let events = change_variable::decide(&state, wish)?;
        if !events.is_empty() {
            unit.stage::<Environment>(environment, events);
        }
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
