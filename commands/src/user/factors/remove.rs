//! Take a factor away, freshly authenticated. A passkey's claim on its credential is given back.

use keynest_domain::user::User;
use keynest_domain::user::factors::remove;
use keynest_domain::{Event, FactorId, UserId};

use crate::federation::ConfiguredIssuers;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct Remove {
    user: UserId,
    factor: FactorId,
    configured: ConfiguredIssuers,
}

impl Commands {
    /// Removes one of the caller's factors; not a passkey that is the last way in.
    pub async fn remove_factor(
        &self,
        origin: &Origin,
        factor: FactorId,
        configured: ConfiguredIssuers,
    ) -> Result<Executed<()>, CommandError> {
        let user = origin.actor.ok_or(CommandError::Absent("actor"))?;
        self.execute(origin, &Remove { user, factor, configured }).await
    }
}

impl UseCase for Remove {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let user = unit.load::<User>(self.user).await?;
        let known = unit.commands().open_passkeys(self.user, &user).await?;
        if let Some((_, credential)) = known.iter().find(|(factor, _)| *factor == self.factor) {
            unit.release(claims::passkey(unit.commands().keyring(), credential.id()));
        }
        let working = unit.working_ways_in(self.user, &user, &self.configured).await?;
        let events = remove::decide(&user, self.factor, &working, unit.now())?;
        unit.stage::<User>(self.user, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
