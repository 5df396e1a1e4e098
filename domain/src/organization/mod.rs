//! A team: its members, their roles, its invitations.

pub mod accept_invitation;
pub mod change_address_rules;
pub mod change_security_policy;
pub mod create_organization;
pub mod create_service;
pub mod delete_organization;
pub mod end_service;
pub mod expire_invitations;
#[cfg(test)]
mod given;
pub mod invite_member;
pub mod leave;
pub mod remove_member;
pub mod revoke_invitation;
mod service;
mod standing;
pub mod update_member_role;
pub mod update_organization;

use std::collections::BTreeMap;

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

pub use service::*;

use crate::event::events;
use crate::limits::keep_time;
use crate::{
    AddressMode, Aggregate, InvitationId, LinkNonce, OrganizationId, Role, Sealed, Timestamp,
    TokenId, UserId,
};

/// Members at most (CONTRACT 4.3).
pub const MEMBERS_MAX: usize = 100;
/// Unanswered invitations at most, so that one organization cannot mail the world.
pub const INVITATIONS_PENDING_MAX: usize = 1_000;

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
    /// What the organization asks of its members' sign-ins from now on.
    SecurityPolicyChanged = "organization.security_policy_changed" v 1,
    /// From where members reach the team from now on.
    AddressRulesChanged = "organization.address_rules_changed" v 1,
    /// The team has a token of its own, which acts as a service.
    ServiceTokenCreated = "organization.service_token_created" v 1,
    /// A token of the team was ended.
    ServiceTokenRevoked = "organization.service_token_revoked" v 1,
    /// Tokens of another issuer are exchanged, as far as a rule says.
    TrustCreated = "organization.trust_created" v 1,
    /// Tokens are not exchanged by this rule any more.
    TrustRemoved = "organization.trust_removed" v 1,
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

/// See [`Event::SecurityPolicyChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SecurityPolicyChanged {
    pub require_second_factor: bool,
    pub step_up: bool,
}

/// What an organization asks of its members' sign-ins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityPolicy {
    /// Nobody gets at its objects who has not signed in with a second factor.
    pub require_second_factor: bool,
    /// Sensitive actions ask for an authentication at most some minutes old.
    pub step_up: bool,
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
    pub inviter: UserId,
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

/// See [`Event::AddressRulesChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressRulesChanged {
    /// Whether they refuse, or only tell what they would refuse.
    pub mode: AddressMode,
    /// [`AddressRules`](crate::AddressRules) as JSON; ranges may be somebody's home.
    pub rules: Sealed,
}

/// What an organization's rules refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Names are unique per creator, ignoring case.
    #[error("an organization with this name already exists")]
    NameTaken,
    /// The invited address is the inviter's own.
    #[error("you cannot invite yourself")]
    InvitesOneself,
    /// The account behind the address is a member.
    #[error("this person is already a member of the organization")]
    AlreadyMember,
    /// One unanswered invitation per address.
    #[error("a pending invitation for this address already exists")]
    InvitationPending,
    /// Too many unanswered invitations.
    #[error("the organization has {INVITATIONS_PENDING_MAX} pending invitations")]
    TooManyInvitations,
    /// Too many invitations in a while.
    #[error("the organization has sent too many invitations")]
    InvitesTooOften {
        /// When there is room again.
        seconds: u32,
    },
    /// The member limit, also on acceptance.
    #[error("the organization has reached its limit of {MEMBERS_MAX} members")]
    OrganizationFull,
    /// No such invitation, or a token that was never issued.
    #[error("the invitation token is invalid")]
    InvitationUnknown,
    /// Nobody accepted in time.
    #[error("this invitation has expired")]
    InvitationExpired,
    /// Of any number of uses one wins.
    #[error("this invitation was already accepted")]
    InvitationUsed,
    /// An admin took it back.
    #[error("this invitation was revoked")]
    InvitationRevoked,
    /// The signed-in person's address is another one.
    #[error("this invitation was sent to another address")]
    InvitationForAnother,
    /// The invited address has no active account yet.
    #[error(
        "the invited address has no active account: register with it, then open the link again"
    )]
    AccountMissing,
    /// The person named is not in the organization.
    #[error("this person is not a member of the organization")]
    NotAMember,
    /// Nobody changes their own role.
    #[error("you cannot change your own role")]
    OwnRole,
    /// Nobody removes themselves.
    #[error("you cannot remove yourself")]
    RemovesOneself,
    /// As many tokens and rules as the configuration allows.
    #[error("the organization has as many tokens and rules as it may")]
    TooManyServices,
    /// Ended, or another's, or never made.
    #[error("the organization has no such token or rule")]
    ServiceUnknown,
    /// Never without an admin.
    #[error("the organization needs at least one admin")]
    LastAdmin,
    /// Who asks for a second factor must have signed in with one.
    #[error("you have not signed in with a second factor yourself")]
    LocksOneselfOut,
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

/// How an invitation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Ended {
    Accepted,
    Revoked,
    Expired,
}

/// The state that rules read. The maps that grow share what two states have in common: the next state is made for every
/// command.
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
    pub members: RedBlackTreeMapSync<UserId, Role>,
    /// Tokens and rules that were not ended, by the number that they act under.
    pub services: BTreeMap<TokenId, Service>,
    pub pending: RedBlackTreeMapSync<InvitationId, Pending>,
    /// Why a link is dead, and its nonce, so that only whoever holds the link is told.
    pub ended: RedBlackTreeMapSync<InvitationId, (Ended, LinkNonce)>,
    pub policy: SecurityPolicy,
    /// When invitations were sent in the last day.
    pub invited_at: Vec<Timestamp>,
    /// From where members reach it; from everywhere if there are none.
    pub address_rules: Option<AddressRulesChanged>,
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
            Event::SecurityPolicyChanged(it) => {
                let &SecurityPolicyChanged { require_second_factor, step_up } = it;
                self.policy = SecurityPolicy { require_second_factor, step_up };
            }
            Event::InvitationSent(it) => {
                let pending = Pending {
                    address: it.address.clone(),
                    role: it.role,
                    inviter: it.inviter,
                    nonce: it.nonce,
                    expires_at: it.expires_at,
                };
                self.pending.insert_mut(it.invitation, pending);
                keep_time(&mut self.invited_at, it.at);
            }
            Event::InvitationAccepted(it) => self.end(it.invitation, Ended::Accepted),
            Event::InvitationRevoked(it) => self.end(it.invitation, Ended::Revoked),
            Event::InvitationExpired(it) => self.end(it.invitation, Ended::Expired),
            Event::MemberJoined(it) => {
                self.members.insert_mut(it.user, it.role);
            }
            Event::MemberRoleChanged(it) => {
                self.members.insert_mut(it.user, it.to);
            }
            Event::MemberRemoved(it) => {
                self.members.remove_mut(&it.user);
            }
            Event::AddressRulesChanged(it) => self.address_rules = Some(it.clone()),
            Event::ServiceTokenCreated(it) => {
                self.services.retain(|_, service| service.is_living(it.at));
                self.services.insert(it.token, it.into());
            }
            Event::ServiceTokenRevoked(it) => {
                self.services.remove(&it.token);
            }
            Event::TrustCreated(it) => {
                self.services.insert(it.trust, it.into());
            }
            Event::TrustRemoved(it) => {
                self.services.remove(&it.trust);
            }
        }
        self
    }
}
