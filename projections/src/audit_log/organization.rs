//! Teams, members and invitations in the audit log.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::organization::{
    AddressRulesChanged, Event, InvitationSent, SecurityPolicyChanged,
};
use keynest_domain::{AddressRules, InvitationId, OrganizationId, Timestamp, UserId};
use serde_json::{Value, json};

use super::entry::Entry;
use super::facts::{Fact, Facts, Kind};
use super::token;
use crate::error::ApplyError;
use crate::projection::Applied;

pub(crate) async fn describe(
    applied: &Applied,
    event: &Event,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let id = OrganizationId::new(applied.stream_number()?);
    let subject = Subject::Organization(id);
    let name = facts.name(Kind::Organization, id);
    let entry = |action, target_type, details| Entry::new(action, target_type, id, details);
    let entry = match event {
        Event::OrganizationCreated(it) => {
            let name = applied.open(keyring, subject, "name", &it.name).await?;
            facts.set(Kind::Organization, id, Fact { name: name.clone(), ..Fact::default() });
            entry("create", "organization", json!({"name": name}))
        }
        Event::OrganizationUpdated(it) => {
            let name = applied.open(keyring, subject, "name", &it.name).await?;
            let old_name = facts.rename(Kind::Organization, id, name.clone());
            entry("update", "organization", json!({"name": name, "old_name": old_name}))
        }
        Event::SecurityPolicyChanged(it) => {
            entry("security_policy_change", "organization", policy(it))
        }
        Event::OrganizationDeleted(_) => entry("delete", "organization", json!({"name": name})),
        Event::InvitationSent(it) => {
            let details = invite(applied, it, id, facts, keyring).await?;
            entry("create", "invitation", details)
                .opened("invitee_email", Some(Subject::Invitation(it.invitation)))
        }
        Event::InvitationAccepted(it) => {
            let inviter = facts.get(Kind::Invitation, it.invitation).user();
            let details = accepted(it.invitation, id, facts);
            entry("accept", "invitation", details)
                .by_owner(Some(it.user))
                .opened("inviter_email", inviter.map(Subject::User))
        }
        Event::InvitationRevoked(it) => unanswered("invitation_revoked", it.invitation, id, facts),
        Event::InvitationExpired(it) => unanswered("invitation_expired", it.invitation, id, facts),
        Event::MemberJoined(it) => {
            let details = json!({"joined_user_id": it.user, "joined_user_email": email(facts, it.user),
                "role": it.role, "organization_id": id, "organization_name": name});
            entry("create", "membership", details)
                .opened("joined_user_email", Some(Subject::User(it.user)))
        }
        Event::MemberRoleChanged(it) => {
            let details = json!({"updated_user_id": it.user, "updated_user_email": email(facts, it.user),
                "old_role": it.from, "new_role": it.to, "organization_id": id, "organization_name": name});
            entry("update", "membership", details)
                .opened("updated_user_email", Some(Subject::User(it.user)))
        }
        Event::ServiceTokenCreated(it) => token::service(applied, it, keyring).await?,
        Event::ServiceTokenRevoked(it) => {
            Entry::new("token_revoke", "service_token", it.token, json!({}))
        }
        Event::TrustCreated(it) => token::trust(applied, it, keyring).await?,
        Event::TrustRemoved(it) => Entry::new("trust_remove", "trust", it.trust, json!({})),
        Event::MemberRemoved(it) => {
            let details = json!({"removed_user_id": it.user, "removed_user_email": email(facts, it.user),
                "removed_user_role": it.role, "organization_id": id, "organization_name": name});
            entry("delete", "membership", details)
                .opened("removed_user_email", Some(Subject::User(it.user)))
        }
        Event::AddressRulesChanged(it) => {
            let rules = rules(applied, it, subject, keyring).await?;
            let details = json!({"mode": it.mode, "rules": rules, "organization_name": name});
            entry("update", "address_rules", details)
        }
    };
    Ok(entry.within(Some(id)))
}

async fn invite(
    applied: &Applied,
    it: &InvitationSent,
    id: OrganizationId,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Value, ApplyError> {
    let subject = Subject::Invitation(it.invitation);
    let address = applied.open(keyring, subject, "address", &it.address).await?;
    let fact = Fact {
        name: address.clone(),
        user: Some(it.inviter.to_string()),
        role: Some(it.role),
        at: Some(it.at),
        ..Fact::default()
    };
    facts.set(Kind::Invitation, it.invitation, fact);
    Ok(json!({"invitee_email": address, "role": it.role, "organization_id": id,
        "organization_name": facts.name(Kind::Organization, id), "invitation_method": "email",
        "expires_at": it.expires_at.iso()}))
}

fn accepted(invitation: InvitationId, id: OrganizationId, facts: &Facts) -> Value {
    let fact = facts.get(Kind::Invitation, invitation);
    let inviter_email = fact.user().and_then(|inviter| email(facts, inviter));
    json!({"organization_id": id, "organization_name": facts.name(Kind::Organization, id),
        "role": fact.role, "inviter_email": inviter_email,
        "invitation_created": fact.at.map(Timestamp::iso)})
}

fn unanswered(
    action: &'static str,
    invitation: InvitationId,
    id: OrganizationId,
    facts: &Facts,
) -> Entry {
    let fact = facts.get(Kind::Invitation, invitation);
    let details = json!({"invitee_email": fact.name, "role": fact.role, "organization_id": id,
        "organization_name": facts.name(Kind::Organization, id)});
    Entry::new(action, "invitation", id, details)
        .opened("invitee_email", Some(Subject::Invitation(invitation)))
}

fn policy(it: &SecurityPolicyChanged) -> Value {
    json!({"require_second_factor": it.require_second_factor, "step_up": it.step_up})
}

async fn rules(
    applied: &Applied,
    it: &AddressRulesChanged,
    subject: Subject,
    keyring: &Keyring,
) -> Result<Option<AddressRules>, ApplyError> {
    let rules = applied.open(keyring, subject, "rules", &it.rules).await?;
    Ok(rules.and_then(|text| serde_json::from_str(&text).ok()))
}

fn email(facts: &Facts, user: UserId) -> Option<String> {
    facts.name(Kind::User, user)
}
