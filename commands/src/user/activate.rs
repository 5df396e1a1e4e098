//! Confirm the address by the mailed link.

use keynest_crypto::{LinkTarget, Links};
use keynest_domain::user::{OpenLink, Rejection, User, activate};
use keynest_domain::{Event, Timestamp, UserId};
use keynest_store::ClaimKey;

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone)]
pub struct Activate {
    /// Whose link it is; told to be the same as in the token.
    pub user: UserId,
    /// The token of the link.
    pub token: String,
}

impl Commands {
    /// Activates the account once; a second click succeeds without effect.
    pub async fn activate(
        &self,
        origin: &Origin,
        wish: Activate,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }

    /// Whether a token was issued for this target and nonce, at any time: expiry is the domain's decision.
    pub(super) fn is_genuine_link(
        &self,
        token: &str,
        target: LinkTarget,
        link: Option<OpenLink>,
    ) -> bool {
        let links = Links::new(self.keyring().clone());
        link.is_some_and(|link| links.verify(token, target, link.nonce, Timestamp::from_micros(0)))
    }
}

impl UseCase for Activate {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        let target = LinkTarget::Activation(self.user);
        let link = user.activation.ok_or(Rejection::LinkInvalid)?;
        if !unit.commands().is_genuine_link(&self.token, target, Some(link)) {
            return Err(Rejection::LinkInvalid.into());
        }
        let wish = activate::Activate { nonce: link.nonce, at: unit.now() };
        let events = activate::decide(&user, wish)?;
        if !events.is_empty() {
            // What was linked before the address was proved goes, and is free for its owner.
            for identity in &user.identities {
                unit.release(ClaimKey::from_stored(identity.claim.clone()));
            }
        }
        unit.stage::<User>(self.user, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
