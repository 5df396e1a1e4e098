//! A member adds a variable.

use keynest_domain::environment::{self, Environment, Rejection, VariableCreated, create_variable};
use keynest_domain::{Aggregate, EnvironmentId, Event, Permission, VariableId, VariableKey};

use super::{VariableValue, value_context};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateVariable {
    pub environment: EnvironmentId,
    pub key: VariableKey,
    pub value: VariableValue,
}

impl Commands {
    /// Adds a variable.
    pub async fn create_variable(
        &self,
        origin: &Origin,
        wish: &CreateVariable,
    ) -> Result<Executed<VariableId>, CommandError> {
        self.execute(origin, wish).await
    }
}

impl UseCase for CreateVariable {
    type Outcome = VariableId;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let environment = self.environment;
        let state = unit.authorize_environment(environment, Permission::CreateVariable).await?;
        if state.keys.contains_key(&self.key) {
            return Err(Rejection::KeyTaken.into());
        }
        let creator = unit.actor()?;
        let id = VariableId::new(unit.commands().clock().integer_id());
        let context = value_context(environment, id, 1);
        let value =
            unit.commands().keyring().seal(&context, self.value.expose().as_bytes()).await?;
        let wish = VariableCreated { variable: id, key: self.key.clone(), value, creator };
        unit.stage::<Environment>(environment, create_variable::decide(&state, wish)?);
        unit.claim(claims::variable(id), Environment::stream(environment));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> VariableId {
        events.iter().find_map(created).expect("adding a variable always appends its creation")
    }
}

fn created(event: &Event) -> Option<VariableId> {
    let Event::Environment(environment::Event::VariableCreated(it)) = event else { return None };
    Some(it.variable)
}
