//! Teams: their names, members and invitations.

mod accept_invitation;
mod change_address_rules;
mod change_security_policy;
mod create_organization;
mod create_service;
mod delete_organization;
mod end_service;
mod expire_invitations;
mod invite_member;
mod remove_member;
mod revoke_invitation;
mod update_member_role;
mod update_organization;

use keynest_crypto::{Context, Subject};
use keynest_domain::organization::{Event, Organization, Pending};
use keynest_domain::{Aggregate, InvitationId, OrganizationId};
use keynest_store::ClaimKey;

pub use accept_invitation::{AcceptInvitation, Accepted};
pub use change_address_rules::ChangeAddressRules;
pub use change_security_policy::ChangeSecurityPolicy;
pub use create_organization::CreateOrganization;
pub use create_service::{CreateServiceToken, CreateTrust};
pub use delete_organization::DeleteOrganization;
pub use end_service::EndService;
pub use invite_member::{InviteMember, Invited};
pub use remove_member::RemoveMember;
pub use revoke_invitation::RevokeInvitation;
pub use update_member_role::UpdateMemberRole;
pub use update_organization::UpdateOrganization;

use crate::{CommandError, Unit, claims};

const SENT: &str = "organization.invitation_sent";

impl Unit<'_> {
    /// The invited address; `None` once its key is destroyed.
    async fn invited_address(
        &self,
        organization: OrganizationId,
        invitation: InvitationId,
        pending: &Pending,
    ) -> Result<Option<String>, CommandError> {
        let stream = Organization::stream(organization);
        let context = Context::new(Subject::Invitation(invitation), stream, SENT, "address");
        let address = self.commands().keyring().open_text(&context, &pending.address).await?;
        Ok(address.map(|address| address.as_str().to_owned()))
    }

    /// Frees the addresses of invitations that these events end. Called with the state before the events.
    pub(crate) async fn release_ended(
        &mut self,
        organization: OrganizationId,
        state: &Organization,
        events: &[Event],
    ) -> Result<Vec<ClaimKey>, CommandError> {
        let mut released = Vec::new();
        for invitation in events.iter().filter_map(ended) {
            let Some(pending) = state.pending.get(&invitation) else { continue };
            if let Some(address) = self.invited_address(organization, invitation, pending).await? {
                let claim = claims::invitation(self.commands().keyring(), organization, &address);
                self.release(claim.clone());
                released.push(claim);
            }
        }
        Ok(released)
    }
}

fn ended(event: &Event) -> Option<InvitationId> {
    match event {
        Event::InvitationAccepted(it) => Some(it.invitation),
        Event::InvitationRevoked(it) => Some(it.invitation),
        Event::InvitationExpired(it) => Some(it.invitation),
        Event::OrganizationCreated(_)
        | Event::OrganizationUpdated(_)
        | Event::SecurityPolicyChanged(_)
        | Event::OrganizationDeleted(_)
        | Event::InvitationSent(_)
        | Event::MemberJoined(_)
        | Event::MemberRoleChanged(_)
        | Event::MemberRemoved(_)
        | Event::AddressRulesChanged(_)
        | Event::ServiceTokenCreated(_)
        | Event::ServiceTokenRevoked(_)
        | Event::TrustCreated(_)
        | Event::TrustRemoved(_) => None,
    }
}
