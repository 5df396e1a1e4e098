//! An admin gives a member another role.

use keynest_domain::organization::{Organization, update_member_role};
use keynest_domain::{Event, OrganizationId, Permission, Role, UserId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateMemberRole {
    pub organization: OrganizationId,
    pub user: UserId,
    pub role: Role,
}

impl Commands {
    /// Changes a member's role.
    pub async fn update_member_role(
        &self,
        origin: &Origin,
        wish: UpdateMemberRole,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for UpdateMemberRole {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::ManageMembers).await?;
        let actor = unit.actor()?;
        let state = unit.load::<Organization>(id).await?;
        let wish = update_member_role::UpdateMemberRole { actor, user: self.user, role: self.role };
        let events = update_member_role::decide(&state, wish)?;
        if !events.is_empty() {
            unit.stage::<Organization>(id, events);
        }
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
