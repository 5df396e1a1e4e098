//! Ask for a link that sets a new password.

use keynest_crypto::random;
use keynest_domain::user::request_password_reset;
use keynest_domain::{Email, Event};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

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
        let (at, limits) = (unit.now(), unit.commands().settings().links);
        unit.ask_for_mail(&self.email, |state, quotas| {
            let nonce = random::link_nonce();
            let wish = request_password_reset::RequestPasswordReset { nonce, limits, quotas, at };
            request_password_reset::decide(state, wish)
        })
        .await?;
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
