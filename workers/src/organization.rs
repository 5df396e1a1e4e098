//! Mails about a team: invitation, joining, roles, removal.

use keynest_crypto::{Link, LinkTarget, Subject};
use keynest_domain::organization::{
    Event, InvitationSent, MemberJoined, MemberRemoved, MemberRoleChanged, Organization,
};
use keynest_domain::{OrganizationId, Role, TokenId, UserId};
use minijinja::{Value, context};

use crate::letter::{Kind, Letter, Recipient};
use crate::mailer::Mailer;
use crate::people::id_of;
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_organization(
        &self,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Vec<Letter>, WorkError> {
        let id = id_of::<OrganizationId>(&delivery.recorded)?;
        let Some((state, name)) = self.organization(id).await? else { return Ok(Vec::new()) };
        let facts = context! {
            organization => name,
            actor => self.actor_name(delivery).await?,
            ..self.circumstances(delivery).await
        };
        match event {
            Event::InvitationSent(it) => self.invitation(delivery, &state, it, facts).await,
            Event::MemberJoined(it) => self.joined(&state, it, facts).await,
            Event::MemberRoleChanged(it) => self.role_changed(it, facts).await,
            Event::MemberRemoved(it) => self.removed(it, facts).await,
            Event::OrganizationCreated(_)
            | Event::OrganizationUpdated(_)
            | Event::SecurityPolicyChanged(_)
            | Event::OrganizationDeleted(_)
            | Event::InvitationAccepted(_)
            | Event::InvitationRevoked(_)
            | Event::InvitationExpired(_)
            | Event::AddressRulesChanged(_)
            | Event::ServiceTokenCreated(_)
            | Event::TrustCreated(_) => Ok(Vec::new()),
            Event::ServiceTokenRevoked(it) => {
                self.service_ended(delivery, &state, it.token, facts).await
            }
            Event::TrustRemoved(it) => self.service_ended(delivery, &state, it.trust, facts).await,
        }
    }

    /// All admins, when it was none of them: a matter of security, so notices or not.
    async fn service_ended(
        &self,
        delivery: &Delivery,
        state: &Organization,
        token: TokenId,
        facts: Value,
    ) -> Result<Vec<Letter>, WorkError> {
        let is_admin = |user: &UserId| state.members.get(user) == Some(&Role::Admin);
        if delivery.recorded.metadata.actor.as_ref().is_some_and(is_admin) {
            return Ok(Vec::new());
        }
        let facts = context! { token => token.get(), username => (), ..facts };
        let mut admins = Vec::new();
        for user in state.members.keys().filter(|user| is_admin(user)) {
            let person = self.person(*user).await?.filter(|person| person.is_active);
            admins.extend(person.map(|person| person.recipient));
        }
        Ok(to_each(Kind::TokenEnded, admins, &facts))
    }

    async fn invitation(
        &self,
        delivery: &Delivery,
        state: &Organization,
        event: &InvitationSent,
        facts: Value,
    ) -> Result<Vec<Letter>, WorkError> {
        // Accepted, revoked or expired meanwhile: no mail with a dead link.
        if !state.pending.contains_key(&event.invitation)
            || event.expires_at <= self.commands.clock().now()
        {
            return Ok(Vec::new());
        }
        let subject = Subject::Invitation(event.invitation);
        let stream = &delivery.recorded.stream;
        let name = Some("organization.invitation_sent");
        let Some(address) =
            self.opened(subject, stream, name, "address", Some(&event.address)).await?
        else {
            return Ok(Vec::new());
        };
        let target =
            LinkTarget::Invitation(id_of::<OrganizationId>(&delivery.recorded)?, event.invitation);
        let link = Link { target, nonce: event.nonce, expires_at: event.expires_at };
        let facts = context! {
            link => self.link("accept-invitation", &link),
            days => event.expires_at.since(event.at).secs().div_ceil(86_400),
            inviter => self.name_of(Some(event.inviter)).await?,
            role => event.role.name(),
            ..facts
        };
        let called = address.split('@').next().unwrap_or_default().to_owned();
        let to = Recipient { user: None, address, name: called };
        Ok(vec![Letter { kind: Kind::InviteMember, to, facts }])
    }

    async fn joined(
        &self,
        state: &Organization,
        event: &MemberJoined,
        facts: Value,
    ) -> Result<Vec<Letter>, WorkError> {
        let facts = context! { member => self.name_of(Some(event.user)).await?, role => event.role.name(), ..facts };
        let others = self.others(state, Some(event.user)).await?;
        Ok(to_each(Kind::MemberJoined, others, &facts))
    }

    async fn role_changed(
        &self,
        event: &MemberRoleChanged,
        facts: Value,
    ) -> Result<Vec<Letter>, WorkError> {
        let facts =
            context! { from_role => event.from.name(), to_role => event.to.name(), ..facts };
        self.to_member(Kind::RoleChanged, event.user, facts).await
    }

    async fn removed(&self, event: &MemberRemoved, facts: Value) -> Result<Vec<Letter>, WorkError> {
        self.to_member(Kind::MemberRemoved, event.user, facts).await
    }

    /// A notice to the one whom it is about; nobody does either to oneself.
    async fn to_member(
        &self,
        kind: Kind,
        user: UserId,
        facts: Value,
    ) -> Result<Vec<Letter>, WorkError> {
        let person = self.person(user).await?.filter(|person| self.takes_notices(person));
        Ok(person.map(|person| Letter { kind, to: person.recipient, facts }).into_iter().collect())
    }
}

/// The same letter to several people.
pub(crate) fn to_each(kind: Kind, recipients: Vec<Recipient>, facts: &Value) -> Vec<Letter> {
    recipients.into_iter().map(|to| Letter { kind, to, facts: facts.clone() }).collect()
}
