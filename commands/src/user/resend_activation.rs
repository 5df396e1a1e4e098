//! Ask for another activation link.

use keynest_crypto::random;
use keynest_domain::user::resend_activation;
use keynest_domain::{Email, Event};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

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
        let (at, limits) = (unit.now(), unit.commands().settings().links);
        unit.ask_for_mail(&self.email, |state, quotas| {
            let wish = resend_activation::ResendActivation {
                nonce: random::link_nonce(),
                limits,
                quotas,
                at,
            };
            resend_activation::decide(state, wish)
        })
        .await?;
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
