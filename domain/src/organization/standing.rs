//! Who is what in an organization, and what became of its invitations.

use super::{Ended, Organization};
use crate::{InvitationId, LinkNonce, Role, TokenId, UserId};

impl Organization {
    /// The role of a member or a service of a living organization; `None` for everybody else.
    pub fn role_of(&self, actor: UserId) -> Option<Role> {
        if self.is_deleted {
            return None;
        }
        let service = || self.services.get(&TokenId::new(actor.get()));
        self.member_role(actor).or_else(|| service().map(|service| service.role.into()))
    }

    /// The role of a member; a service has one, but is none.
    pub(super) fn member_role(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).copied().filter(|_| !self.is_deleted)
    }

    /// Whether it was created and not deleted.
    pub fn is_alive(&self) -> bool {
        self.id.is_some() && !self.is_deleted
    }

    /// The secret part of an invitation's link, living or dead.
    pub fn nonce_of(&self, invitation: InvitationId) -> Option<LinkNonce> {
        let pending = self.pending.get(&invitation).map(|pending| pending.nonce);
        pending.or_else(|| self.ended.get(&invitation).map(|(_, nonce)| *nonce))
    }

    /// Whether nobody but this member is an admin.
    pub(super) fn is_last_admin(&self, user: UserId) -> bool {
        let mut admins = self.members.iter().filter(|(_, role)| **role == Role::Admin);
        admins.next().is_some_and(|(id, _)| *id == user) && admins.next().is_none()
    }

    pub(super) fn end(&mut self, invitation: InvitationId, how: Ended) {
        let nonce = self.pending.get(&invitation).map(|pending| pending.nonce);
        if let Some(nonce) = nonce {
            self.pending.remove_mut(&invitation);
            self.ended.insert_mut(invitation, (how, nonce));
        }
    }
}
