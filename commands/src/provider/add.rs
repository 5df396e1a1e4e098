//! Set up an identity provider, whose issuer was asked before.

use keynest_domain::limits::Instance;
use keynest_domain::provider::{self, ProviderAdded, Providers};
use keynest_domain::{Event, ProviderName};
use secrecy::SecretString;

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish of an administrator. The secret does not print.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AddProvider {
    pub name: ProviderName,
    pub issuer: String,
    pub title: String,
    pub client_id: String,
    pub client_secret: SecretString,
    pub scopes: Vec<String>,
    pub origins: Vec<String>,
}

impl Commands {
    /// Sets a provider up. Every process lets people come from there at once.
    pub async fn add_provider(
        &self,
        origin: &Origin,
        wish: AddProvider,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for AddProvider {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_provider_manager().await?;
        let state = unit.load::<Providers>(Instance).await?;
        let id = unit.commands().clock().provider_id();
        let secret = unit.seal_client_secret(id, "provider.added", &self.client_secret).await?;
        let added = ProviderAdded {
            provider: id,
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            title: self.title.clone(),
            client_id: self.client_id.clone(),
            client_secret: secret,
            scopes: self.scopes.clone(),
            origins: self.origins.clone(),
            at: unit.now(),
        };
        unit.stage::<Providers>(Instance, provider::add(&state, added)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
