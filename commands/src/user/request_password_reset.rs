//! Ask for a link that sets a new password.

use keynest_crypto::random;
use keynest_domain::user::{User, request_password_reset};
use keynest_domain::{Email, Event};

use super::register::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct RequestPasswordReset {
    email: Email,
}

impl Commands {
    /// Sends a link if the address has an active account. The caller cannot tell.
    pub async fn request_password_reset(
        &self,
        origin: &Origin,
        email: Email,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &RequestPasswordReset { email }).await
    }
}

impl UseCase for RequestPasswordReset {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let claim = claims::email(unit.commands().keyring(), &self.email);
        let Some(owner) = unit.resolve(&claim).await? else { return Ok(()) };
        let user = owner_of(&owner)?;
        let state = unit.load::<User>(user).await?;
        let wish = request_password_reset::RequestPasswordReset {
            nonce: random::link_nonce(),
            limits: unit.commands().settings().links,
            at: unit.now(),
        };
        unit.stage::<User>(user, request_password_reset::decide(&state, wish));
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
