//! An admin invites an address.

use keynest_crypto::{Subject, random};
use keynest_domain::limits::Policy;
use keynest_domain::organization::{
    self, InvitationSent, Organization, expire_invitations, invite_member,
};
use keynest_domain::user::{Standing, User};
use keynest_domain::{
    Aggregate, Email, Event, InvitationId, OrganizationId, Permission, Role, Timestamp, UserId,
};

use crate::login::NOBODY;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InviteMember {
    pub organization: OrganizationId,
    pub address: Email,
    pub role: Role,
}

/// The invitation that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Invited {
    pub invitation: InvitationId,
    pub role: Role,
    pub expires_at: Timestamp,
}

impl Commands {
    /// Sends an invitation.
    pub async fn invite_member(
        &self,
        origin: &Origin,
        wish: InviteMember,
    ) -> Result<Executed<Invited>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for InviteMember {
    type Outcome = Invited;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        let at = unit.now();
        unit.authorize(id, Permission::ManageMembers).await?;
        let inviter = unit.actor()?;
        let state = unit.load::<Organization>(id).await?;
        let invitee = unit.account_of(&self.address).await?;
        let overdue = expire_invitations::decide(&state, at)?;
        let released = unit.release_ended(id, &state, &overdue).await?;
        let claim = claims::invitation(unit.commands().keyring(), id, self.address.as_str());
        let is_address_invited =
            !released.contains(&claim) && unit.resolve(&claim).await?.is_some();
        let invitee = invitee.map(|(user, _)| user);
        let quota = unit.quota(Policy::Invitations, Some(id)).await?;
        invite_member::check(&state, inviter, invitee, is_address_invited, quota, at)?;
        let invitation = unit.commands().clock().invitation_id();
        let subject = Subject::Invitation(invitation);
        let address = unit
            .seal::<Organization>(subject, id, super::SENT, "address", self.address.as_str())
            .await?;
        let wish = invite_member::InviteMember {
            inviter,
            invitee,
            is_address_invited,
            invitation,
            address,
            role: self.role,
            nonce: random::link_nonce(),
            lifetime: unit.commands().settings().invitation,
            quota,
            at,
        };
        unit.stage::<Organization>(id, invite_member::decide(&state, wish)?);
        unit.claim(claim, Organization::stream(id));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Invited {
        let sent = events.iter().find_map(sent).expect("inviting always appends an invitation");
        Invited { invitation: sent.invitation, role: sent.role, expires_at: sent.expires_at }
    }
}

fn sent(event: &Event) -> Option<&InvitationSent> {
    let Event::Organization(organization::Event::InvitationSent(it)) = event else { return None };
    Some(it)
}

impl Unit<'_> {
    /// The account that an address belongs to, and where it stands.
    pub(super) async fn account_of(
        &mut self,
        address: &Email,
    ) -> Result<Option<(UserId, Standing)>, CommandError> {
        let claim = claims::email(self.commands().keyring(), address);
        let Some(stream) = self.resolve(&claim).await? else {
            // Costs the same for an address without an account.
            self.load_anew::<User>(NOBODY).await?;
            return Ok(None);
        };
        let damaged = |_| CommandError::Damaged(stream.to_string());
        let user: UserId = stream.id().parse().map_err(damaged)?;
        Ok(Some((user, self.load_anew::<User>(user).await?.standing)))
    }
}
