//! An admin removes a member.

use keynest_domain::organization::{self, Organization, remove_member};
use keynest_domain::{Event, OrganizationId, Permission, Role, UserId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RemoveMember {
    pub organization: OrganizationId,
    pub user: UserId,
}

impl Commands {
    /// Removes a member; says which role it had.
    pub async fn remove_member(
        &self,
        origin: &Origin,
        wish: RemoveMember,
    ) -> Result<Executed<Role>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for RemoveMember {
    type Outcome = Role;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::ManageMembers).await?;
        let actor = unit.actor()?;
        let state = unit.load::<Organization>(id).await?;
        let wish = remove_member::RemoveMember { actor, user: self.user };
        unit.stage::<Organization>(id, remove_member::decide(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Role {
        events.iter().find_map(removed).expect("removing always appends a removal")
    }
}

fn removed(event: &Event) -> Option<Role> {
    let Event::Organization(organization::Event::MemberRemoved(it)) = event else { return None };
    Some(it.role)
}
