//! A member imports a file: all keys in one append, or none.

use keynest_crypto::Subject;
use keynest_domain::environment::import_variables::{self, Entry};
use keynest_domain::environment::{self, Environment};
use keynest_domain::{
    Aggregate, EnvironmentId, Event, FileFormat, Permission, VariableId, VariableKey,
};

use super::{VariableValue, value_context};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ImportVariables {
    pub environment: EnvironmentId,
    pub format: FileFormat,
    pub overwrite: bool,
    /// In the order of the file.
    pub entries: Vec<(VariableKey, VariableValue)>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Imported {
    pub created: u32,
    pub changed: u32,
}

impl Commands {
    /// Imports a file.
    pub async fn import_variables(
        &self,
        origin: &Origin,
        wish: ImportVariables,
    ) -> Result<Executed<Imported>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for ImportVariables {
    type Outcome = Imported;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let environment = self.environment;
        let state = unit.authorize_environment(environment, Permission::ImportValues).await?;
        import_variables::check(&state, self.entries.iter().map(|(key, _)| key), self.overwrite)?;
        let creator = unit.actor()?;
        let clock = unit.commands().clock();
        let key = unit.commands().keyring().sealing_key(Subject::Environment(environment)).await?;
        let mut entries = Vec::with_capacity(self.entries.len());
        for (name, value) in &self.entries {
            let fresh = VariableId::new(clock.integer_id());
            let (id, version) = import_variables::place(&state, name, fresh);
            let value =
                key.seal(&value_context(environment, id, version), value.expose().as_bytes())?;
            if id == fresh {
                unit.claim(claims::variable(id), Environment::stream(environment));
            }
            entries.push(Entry { key: name.clone(), fresh, value });
        }
        let wish = import_variables::ImportVariables {
            format: self.format,
            overwrite: self.overwrite,
            creator,
            entries,
        };
        unit.stage::<Environment>(environment, import_variables::decide(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Imported {
        events.iter().find_map(imported).expect("an import always appends its summary")
    }
}

fn imported(event: &Event) -> Option<Imported> {
    let Event::Environment(environment::Event::VariablesImported(it)) = event else { return None };
    Some(Imported { created: it.created, changed: it.changed })
}
