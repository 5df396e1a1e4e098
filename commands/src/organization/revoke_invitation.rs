//! An admin takes an invitation back.

use keynest_domain::organization::{Organization, Rejection, revoke_invitation};
use keynest_domain::{Event, InvitationId, OrganizationId, Permission};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RevokeInvitation {
    pub organization: OrganizationId,
    pub invitation: InvitationId,
}

impl Commands {
    /// Kills an invitation's link and frees its address.
    pub async fn revoke_invitation(
        &self,
        origin: &Origin,
        wish: RevokeInvitation,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for RevokeInvitation {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::ManageMembers).await?;
        let state = unit.load::<Organization>(id).await?;
        let events = match revoke_invitation::decide(&state, self.invitation) {
            Err(Rejection::InvitationUnknown) => return Err(CommandError::Absent("invitation")),
            decided => decided?,
        };
        unit.release_ended(id, &state, &events).await?;
        if !events.is_empty() {
            unit.stage::<Organization>(id, events);
        }
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
