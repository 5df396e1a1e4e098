//! Change an identity provider: everything but its name and its issuer, which identities belong to.

use keynest_domain::limits::Instance;
use keynest_domain::provider::{self, ProviderChanged, Providers, Rejection};
use keynest_domain::{Event, ProviderName};
use secrecy::SecretString;

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish of an administrator; what is absent stays. The secret does not print.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeProvider {
    pub name: ProviderName,
    pub title: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub scopes: Option<Vec<String>>,
    pub origins: Option<Vec<String>>,
}

impl Commands {
    /// Changes a provider. Every process goes by it at once.
    pub async fn change_provider(
        &self,
        origin: &Origin,
        wish: ChangeProvider,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for ChangeProvider {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_provider_manager().await?;
        let state = unit.load::<Providers>(Instance).await?;
        let id = state.get(&self.name).ok_or(Rejection::Absent)?.id;
        let client_secret = match &self.client_secret {
            Some(secret) => Some(unit.seal_client_secret(id, "provider.changed", secret).await?),
            None => None,
        };
        let changed = ProviderChanged {
            provider: id,
            title: self.title.clone(),
            client_id: self.client_id.clone(),
            client_secret,
            scopes: self.scopes.clone(),
            origins: self.origins.clone(),
            at: unit.now(),
        };
        unit.stage::<Providers>(Instance, provider::change(&state, &self.name, changed)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
