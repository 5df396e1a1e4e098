//! Identity providers that administrators of the instance set up: what they wish, and what is set up now.

mod add;
mod change;
mod remove;

use std::sync::Arc;

use keynest_crypto::{Context, Subject};
use keynest_domain::limits::Instance;
use keynest_domain::provider::{Provider, Providers};
use keynest_domain::{Aggregate, ProviderId, Sealed};
use secrecy::{ExposeSecret, SecretString};

use crate::{CommandError, Commands, Origin, Unit};

pub use add::AddProvider;
pub use change::ChangeProvider;
pub use remove::RemoveProvider;

impl Commands {
    /// All that are set up now, as the log has them.
    pub async fn managed_providers(&self) -> Result<Arc<Providers>, CommandError> {
        self.read::<Providers>(Instance).await
    }

    /// What proves to a provider that it is this application.
    pub async fn open_client_secret(
        &self,
        provider: &Provider,
    ) -> Result<SecretString, CommandError> {
        let context = context(provider.id, provider.secret_sealed_by);
        let text = self.keyring().open_text(&context, &provider.client_secret).await?;
        let text = text.ok_or_else(|| CommandError::Damaged(provider.id.to_string()))?;
        Ok(SecretString::from(text.as_str()))
    }

    /// Whether somebody may set up, change and remove providers now: an administrator who signed in lately.
    pub async fn may_manage_providers(&self, origin: &Origin) -> Result<(), CommandError> {
        Unit::new(self, origin, true).require_provider_manager().await
    }
}

impl Unit<'_> {
    async fn require_provider_manager(&mut self) -> Result<(), CommandError> {
        self.require_administrator().await?;
        self.require_fresh_sign_in().await
    }

    async fn seal_client_secret(
        &self,
        id: ProviderId,
        event: &'static str,
        secret: &SecretString,
    ) -> Result<Sealed, CommandError> {
        let (context, secret) = (context(id, event), secret.expose_secret().as_bytes());
        Ok(self.commands().keyring().seal(&context, secret).await?)
    }
}

/// Of this provider and no other of the stream.
fn context(id: ProviderId, event: &'static str) -> Context {
    let field = format!("client_secret of {id}");
    Context::new(Subject::Instance, Providers::stream(Instance), event, field)
}
