//! Which ways into an account work now: its provider must be there, and be the one that the identity belongs to.

use std::collections::BTreeMap;

use keynest_crypto::{Context, Subject};
use keynest_domain::limits::Instance;
use keynest_domain::provider::Providers;
use keynest_domain::user::{User, WorkingWaysIn};
use keynest_domain::{Aggregate, ProviderName, UserId};

use crate::{CommandError, Commands, Origin, Unit, claims};

/// The issuers of the providers that are configured and switched on.
pub type ConfiguredIssuers = BTreeMap<ProviderName, String>;

impl Unit<'_> {
    /// Looks at each identity of an account. That no provider comes or goes meanwhile is checked by the append.
    pub(crate) async fn working_ways_in(
        &mut self,
        id: UserId,
        user: &User,
        configured: &ConfiguredIssuers,
    ) -> Result<WorkingWaysIn, CommandError> {
        let managed = self.load::<Providers>(Instance).await?;
        let keyring = self.commands().keyring();
        let mut working = WorkingWaysIn {
            passkeys: self.commands().settings().relying_party.is_some(),
            ..WorkingWaysIn::default()
        };
        for identity in &user.identities {
            let name = &identity.provider;
            let issuer = configured.get(name).or_else(|| managed.get(name).map(|it| &it.issuer));
            let Some(issuer) = issuer else { continue };
            let event = "user.identity_linked";
            let context = Context::new(Subject::User(id), User::stream(id), event, "subject");
            let subject = keyring.open_text(&context, &identity.subject).await?;
            let Some(subject) = subject else { continue };
            if claims::identity(keyring, name, issuer, &subject).as_str() == identity.claim {
                working.identities.push(identity.id);
            }
        }
        Ok(working)
    }
}

impl Commands {
    /// Which of these people could not sign in any more without a provider, except by a password from a mail.
    pub async fn depend_on_provider(
        &self,
        people: &[UserId],
        provider: &ProviderName,
        configured: &ConfiguredIssuers,
    ) -> Result<Vec<UserId>, CommandError> {
        let mut dependent = Vec::new();
        for id in people {
            let origin = Origin::product(self.clock().request_id());
            let mut unit = Unit::new(self, &origin, true);
            let user = unit.load::<User>(*id).await?;
            let mut working = unit.working_ways_in(*id, &user, configured).await?;
            let is_its = |id| user.identity(id).is_some_and(|it| it.provider == *provider);
            working.identities.retain(|id| !is_its(*id));
            if user.ways_in(&working) == 0 {
                dependent.push(*id);
            }
        }
        Ok(dependent)
    }
}
