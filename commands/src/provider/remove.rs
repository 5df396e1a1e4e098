//! Remove an identity provider: nobody comes from there any more, and what it proved a moment ago is worth nothing.

use keynest_domain::limits::Instance;
use keynest_domain::provider::{self, Providers};
use keynest_domain::{Event, ProviderName};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish of an administrator.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RemoveProvider {
    pub name: ProviderName,
    /// That many accounts sign in by it, as far as the caller could see.
    pub accounts: u32,
    /// Whether the administrator knows and wants it all the same.
    pub is_known: bool,
}

impl Commands {
    /// Removes a provider. Identities stay with their accounts and open nothing.
    pub async fn remove_provider(
        &self,
        origin: &Origin,
        wish: RemoveProvider,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for RemoveProvider {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_provider_manager().await?;
        let state = unit.load::<Providers>(Instance).await?;
        let RemoveProvider { name, accounts, is_known } = self;
        let events = provider::remove(&state, name, *accounts, *is_known, unit.now())?;
        unit.stage::<Providers>(Instance, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
