//! Ask for another activation link.

use keynest_crypto::random;
use keynest_domain::user::{User, resend_activation};
use keynest_domain::{Email, Event};

use super::register::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct ResendActivation {
    email: Email,
}

impl Commands {
    /// Sends another link if the address waits for one. The caller cannot tell.
    pub async fn resend_activation(
        &self,
        origin: &Origin,
        email: Email,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ResendActivation { email }).await
    }
}

impl UseCase for ResendActivation {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let claim = claims::email(unit.commands().keyring(), &self.email);
        let Some(owner) = unit.resolve(&claim).await? else { return Ok(()) };
        let user = owner_of(&owner)?;
        let state = unit.load::<User>(user).await?;
        let wish = resend_activation::ResendActivation {
            nonce: random::link_nonce(),
            limits: unit.commands().settings().links,
            at: unit.now(),
        };
        unit.stage::<User>(user, resend_activation::decide(&state, wish));
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
