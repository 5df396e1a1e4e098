//! The janitor ends invitations that nobody accepted in time.

use keynest_domain::organization::{Organization, expire_invitations};
use keynest_domain::{Event, OrganizationId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct ExpireInvitations {
    organization: OrganizationId,
}

impl Commands {
    /// Ends every overdue invitation of one organization and frees its address.
    pub async fn expire_invitations(
        &self,
        origin: &Origin,
        organization: OrganizationId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ExpireInvitations { organization }).await
    }
}

impl UseCase for ExpireInvitations {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        let state = unit.load::<Organization>(id).await?;
        let events = expire_invitations::decide(&state, unit.now())?;
        if events.is_empty() {
            return Ok(());
        }
        unit.release_ended(id, &state, &events).await?;
        unit.stage::<Organization>(id, events);
        unit.file_under(id);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
