//! Sign in with what a provider proved; who comes for the first time gets an account.
//!
//! The identity decides whose account it is, never the address: an account that has the address is not opened by it,
//! verified or not, since whoever made it may be somebody else than whoever proves the address now (THREATS A13, A14).

use keynest_crypto::Subject;
use keynest_domain::federation::{Rejection, Use};
use keynest_domain::session::SignInMethod;
use keynest_domain::user::{self, User, register_federated};
use keynest_domain::{Aggregate, Event, FederationId, UserId};

use super::proof::Proof;
use crate::login::{Opened, SignIn, open_session, opened};
use crate::user::{owner_of, stage_personal_organization};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

const REGISTERED: &str = "user.registered";

/// What a federated sign-in came to.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct FederatedSignIn {
    pub sign_in: SignIn,
    /// Whether the account began with it.
    pub is_new_user: bool,
}

struct SignInFederated {
    trip: FederationId,
    proof: Proof,
}

impl Commands {
    /// Opens a session for the account that knows the identity, or for a new one. A trip's proof is used once.
    pub async fn sign_in_federated(
        &self,
        origin: &Origin,
        trip: FederationId,
        proof: Proof,
    ) -> Result<Executed<FederatedSignIn>, CommandError> {
        let executed = self.execute(&origin.once(), &SignInFederated { trip, proof }).await?;
        let (opened, is_new_user) = executed.outcome;
        let opened = opened.ok_or(CommandError::Busy("sign-in"))?;
        let signed_in =
            Executed { position: executed.position, outcome: opened }.sign_in(self).await?;
        let outcome = FederatedSignIn { sign_in: signed_in.outcome, is_new_user };
        Ok(Executed { position: signed_in.position, outcome })
    }
}

impl UseCase for SignInFederated {
    type Outcome = (Option<Opened>, bool);

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        self.proof.require_provider(unit).await?;
        let claim = self.proof.claim(unit);
        let (user, used_for) = match unit.resolve(&claim).await? {
            Some(holder) => {
                let id = owner_of(&holder)?;
                let user = unit.load::<User>(id).await?;
                user.require_active()?;
                let identity = user.identities.iter().find(|it| it.claim == claim.as_str());
                // Unlinked between the look at the claim and the look at the account.
                let identity = identity.ok_or(CommandError::Busy("identity"))?;
                self.proof.synchronise(unit, id, identity).await?;
                (id, Use::SignIn)
            }
            None => (self.register(unit).await?, Use::Registration),
        };
        self.proof.spend(unit, self.trip, user, used_for).await?;
        open_session(unit, user, SignInMethod::Federated).await
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        let is_new_user =
            events.iter().any(|event| matches!(event, Event::User(user::Event::UserRegistered(_))));
        (opened(events), is_new_user)
    }
}

impl SignInFederated {
    /// Only an address that the provider verified, and that nobody has: not even somebody who never confirmed it.
    async fn register(&self, unit: &mut Unit<'_>) -> Result<UserId, CommandError> {
        let proof = &self.proof;
        let email = proof.verified_email().ok_or(Rejection::AddressUnverified)?;
        let address = claims::email(unit.commands().keyring(), &email);
        if unit.resolve(&address).await?.is_some() {
            return Err(Rejection::LinkRequired.into());
        }
        let username = proof.free_username(unit).await?;
        let at = unit.now();
        let id = UserId::new(unit.commands().clock().integer_id());
        let (first, last) = proof.names();
        let sealed =
            |field, text| unit.seal::<User>(Subject::User(id), id, REGISTERED, field, text);
        let wish = register_federated::RegisterFederated {
            user: id,
            username: sealed("username", username.as_str()).await?,
            email: sealed("email", email.as_str()).await?,
            first_name: sealed("first_name", first.as_str()).await?,
            last_name: sealed("last_name", last.as_str()).await?,
            identity: proof.linked(unit, id).await?,
            at,
        };
        unit.stage::<User>(id, register_federated::decide(&User::default(), wish)?);
        let stream = User::stream(id);
        unit.claim(address, stream.clone());
        unit.claim(claims::username(unit.commands().keyring(), &username), stream.clone());
        unit.claim(proof.claim(unit), stream);
        let owner = if first.as_str().is_empty() { username.as_str() } else { first.as_str() };
        stage_personal_organization(unit, id, owner, at).await?;
        let user = unit.load::<User>(id).await?;
        if let Some(identity) = user.identities.first() {
            proof.synchronise(unit, id, identity).await?;
        }
        Ok(id)
    }
}
