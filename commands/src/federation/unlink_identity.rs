//! Take an identity away from the own account.

use keynest_domain::user::{User, unlink_identity};
use keynest_domain::{Event, IdentityId};
use keynest_store::ClaimKey;

use super::ways_in::ConfiguredIssuers;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct UnlinkIdentity {
    identity: IdentityId,
    configured: ConfiguredIssuers,
}

impl Commands {
    /// Unlinks, unless it is the last way in; asks for a fresh sign-in.
    pub async fn unlink_identity(
        &self,
        origin: &Origin,
        identity: IdentityId,
        configured: ConfiguredIssuers,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &UnlinkIdentity { identity, configured }).await
    }
}

impl UseCase for UnlinkIdentity {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        let working = unit.working_ways_in(id, &user, &self.configured).await?;
        let events = unlink_identity::decide(&user, self.identity, &working)?;
        if let Some(known) = user.identity(self.identity) {
            unit.release(ClaimKey::from_stored(known.claim.clone()));
        }
        unit.stage::<User>(id, events);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
