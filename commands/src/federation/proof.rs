//! What a provider proved of a person.

use keynest_crypto::Subject;
use keynest_domain::federation::{self, Federation, ProofUsed, Use};
use keynest_domain::limits::Instance;
use keynest_domain::provider::Providers;
use keynest_domain::user::{IdentityLinked, User};
use keynest_domain::{Email, FederationId, ProviderId, ProviderName, UserId};
use keynest_store::ClaimKey;
use serde::{Deserialize, Serialize};

use crate::{CommandError, Unit, claims};

/// Longest subject that is accepted: as OpenID Connect has it.
pub const SUBJECT_CHARS_MAX: usize = 255;
/// Longest address of a picture.
pub const ADDRESS_CHARS_MAX: usize = 500;

/// A person as a provider knows them. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Proof {
    pub provider: ProviderName,
    pub issuer: String,
    /// Of a provider that an administrator set up.
    #[serde(default)]
    pub managed: Option<ProviderId>,
    /// What the provider calls the person, for ever.
    pub subject: String,
    /// The address, if the provider told one.
    pub email: Option<String>,
    /// Whether the provider says that the person reads mail there.
    pub is_email_verified: bool,
    /// What the person is called there, to begin a username with.
    pub nickname: Option<String>,
    pub first_name: String,
    pub last_name: String,
    /// An https address; never asked from here.
    pub avatar_url: Option<String>,
}

impl Proof {
    /// The address, if the provider verified it and it is one.
    pub(super) fn verified_email(&self) -> Option<Email> {
        let text = self.email.as_deref().filter(|_| self.is_email_verified)?;
        Email::parse(text).ok()
    }

    /// Refuses what a provider proved that was removed since; the append checks that it still is there.
    pub(super) async fn require_provider(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let Some(id) = self.managed else { return Ok(()) };
        unit.load::<Providers>(Instance).await?.require(&self.provider, id)?;
        Ok(())
    }

    /// The claim that keeps this identity with an account.
    pub(super) fn claim(&self, unit: &Unit<'_>) -> ClaimKey {
        let keyring = unit.commands().keyring();
        claims::identity(keyring, &self.provider, &self.issuer, &self.subject)
    }

    /// The event that gives this identity to an account.
    pub(super) async fn linked(
        &self,
        unit: &Unit<'_>,
        user: UserId,
    ) -> Result<IdentityLinked, CommandError> {
        const EVENT: &str = "user.identity_linked";
        let key = Subject::User(user);
        let address = match &self.email {
            Some(text) => Some(unit.seal::<User>(key, user, EVENT, "address", text).await?),
            None => None,
        };
        Ok(IdentityLinked {
            identity: unit.commands().clock().identity_id(),
            provider: self.provider.clone(),
            subject: unit.seal::<User>(key, user, EVENT, "subject", &self.subject).await?,
            claim: self.claim(unit).as_str().to_owned(),
            address,
            at: unit.now(),
        })
    }

    /// Notes that the proof is used up, in the same append as what it is used for.
    pub(super) async fn spend(
        &self,
        unit: &mut Unit<'_>,
        trip: FederationId,
        user: UserId,
        used_for: Use,
    ) -> Result<(), CommandError> {
        let state = unit.load::<Federation>(trip).await?;
        let used = ProofUsed { provider: self.provider.clone(), user, used_for, at: unit.now() };
        unit.stage::<Federation>(trip, federation::use_proof(&state, used)?);
        Ok(())
    }
}

/// Personal data does not print.
impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("provider", &self.provider).finish_non_exhaustive()
    }
}
