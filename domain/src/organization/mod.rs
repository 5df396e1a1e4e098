//! A team: its members, their roles, its invitations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, InvitationId, LinkNonce, OrganizationId, Role, Sealed, Timestamp, UserId};

/// Members at most (CONTRACT 4.3).
pub const MEMBERS_MAX: usize = 100;

events! {
    /// A team was made; its creator joins as admin in the same append.
    OrganizationCreated = "organization.created" v 1,
    /// Name and description from now on.
    OrganizationUpdated = "organization.updated" v 1,
    /// The team, and with it all its projects, is unreachable for ever.
    OrganizationDeleted = "organization.deleted" v 1,
    /// An address was invited.
    InvitationSent = "organization.invitation_sent" v 1,
    /// The invited person accepted; joins in the same append.
    InvitationAccepted = "organization.invitation_accepted" v 1,
    /// An admin took the invitation back.
    InvitationRevoked = "organization.invitation_revoked" v 1,
    /// Nobody accepted in time.
    InvitationExpired = "organization.invitation_expired" v 1,
    /// A person is a member from now on.
    MemberJoined = "organization.member_joined" v 1,
    /// A member has another role from now on.
    MemberRoleChanged = "organization.member_role_changed" v 1,
    /// A person is not a member any more.
    MemberRemoved = "organization.member_removed" v 1,
}

/// See [`Event::OrganizationCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OrganizationCreated {
    pub organization: OrganizationId,
    pub name: Sealed,
    pub description: Option<Sealed>,
    pub creator: UserId,
    /// Made together with the account.
    pub is_personal: bool,
}

/// See [`Event::OrganizationUpdated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OrganizationUpdated {
    pub name: Sealed,
    pub description: Option<Sealed>,
}

/// See [`Event::OrganizationDeleted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationDeleted {}

/// See [`Event::InvitationSent`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InvitationSent {
    pub invitation: InvitationId,
    pub address: Sealed,
    pub role: Role,
    pub inviter: UserId,
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`Event::InvitationAccepted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InvitationAccepted {
    pub invitation: InvitationId,
    pub user: UserId,
}

/// See [`Event::InvitationRevoked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InvitationRevoked {
    pub invitation: InvitationId,
}

/// See [`Event::InvitationExpired`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct InvitationExpired {
    pub invitation: InvitationId,
}

/// See [`Event::MemberJoined`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MemberJoined {
    pub user: UserId,
    pub role: Role,
    pub at: Timestamp,
}

/// See [`Event::MemberRoleChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MemberRoleChanged {
    pub user: UserId,
    pub from: Role,
    pub to: Role,
}

/// See [`Event::MemberRemoved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct MemberRemoved {
    pub user: UserId,
    pub role: Role,
}

/// An invitation that nobody has answered yet.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Pending {
    pub address: Sealed,
    pub role: Role,
    pub inviter: UserId,
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Organization {
    pub id: Option<OrganizationId>,
    pub name: Option<Sealed>,
    pub description: Option<Sealed>,
    /// The event that sealed name and description, a part of their context.
    pub sealed_by: Option<&'static str>,
    pub creator: Option<UserId>,
    pub is_deleted: bool,
    pub members: BTreeMap<UserId, Role>,
    pub pending: BTreeMap<InvitationId, Pending>,
}

impl Aggregate for Organization {
    type Id = OrganizationId;
    type Event = Event;
    const CATEGORY: &'static str = "organization";

    fn evolve(mut self, event: &Event) -> Self {
        let event_name = event.name();
        match event {
            Event::OrganizationCreated(it) => {
                self.id = Some(it.organization);
                self.creator = Some(it.creator);
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.sealed_by = Some(event_name);
            }
            Event::OrganizationUpdated(it) => {
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.sealed_by = Some(event_name);
            }
            Event::OrganizationDeleted(_) => self.is_deleted = true,
            Event::InvitationSent(it) => {
                let pending = Pending {
                    address: it.address.clone(),
                    role: it.role,
                    inviter: it.inviter,
                    nonce: it.nonce,
                    expires_at: it.expires_at,
                };
                self.pending.insert(it.invitation, pending);
            }
            Event::InvitationAccepted(InvitationAccepted { invitation, .. })
            | Event::InvitationRevoked(InvitationRevoked { invitation })
            | Event::InvitationExpired(InvitationExpired { invitation }) => {
                self.pending.remove(invitation);
            }
            Event::MemberJoined(it) => {
                self.members.insert(it.user, it.role);
            }
            Event::MemberRoleChanged(it) => {
                self.members.insert(it.user, it.to);
            }
            Event::MemberRemoved(it) => {
                self.members.remove(&it.user);
            }
        }
        self
    }
}

impl Organization {
    /// The role of a member of a living organization; `None` for everybody else.
    pub fn role_of(&self, user: UserId) -> Option<Role> {
        if self.is_deleted { None } else { self.members.get(&user).copied() }
    }
}
