//! What a row says, and which earlier facts an event makes it ask for.

use keynest_domain::{
    Event, OrganizationId, Subject, UserId, access, environment, organization, session,
};
use serde_json::Value;

use super::facts::{Kind, Named};
use crate::projection::Applied;

/// What a row says beyond when, from where and by which request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub organization: Option<OrganizationId>,
    /// Who did it, if the event itself proves more than its metadata.
    pub actor: Option<UserId>,
    /// Whose account it is about, outside of organizations.
    pub account: Option<UserId>,
    pub action: &'static str,
    pub target_type: &'static str,
    pub target_id: String,
    pub details: Value,
    pub outcome: &'static str,
    /// The details that are nulled when the key of a person or an invitation is destroyed.
    pub openings: Vec<(Subject, &'static str)>,
}

impl Entry {
    /// Something that was done to an object.
    pub fn new(
        action: &'static str,
        target_type: &'static str,
        target_id: impl ToString,
        details: Value,
    ) -> Self {
        Self {
            organization: None,
            actor: None,
            account: None,
            action,
            target_type,
            target_id: target_id.to_string(),
            details,
            outcome: "ok",
            openings: Vec::new(),
        }
    }

    /// In the audit log of this organization.
    pub fn within(self, organization: Option<OrganizationId>) -> Self {
        Self { organization, ..self }
    }

    /// About this account, done by its owner unless the metadata says otherwise.
    pub fn by_owner(self, account: Option<UserId>) -> Self {
        Self { actor: account, account, ..self }
    }

    /// About this account, by somebody who has not proved to be its owner.
    pub fn about(self, account: Option<UserId>) -> Self {
        Self { account, ..self }
    }

    /// One of its details was opened under the key of a person or an invitation.
    pub fn opened(mut self, field: &'static str, subject: Option<Subject>) -> Self {
        self.openings.extend(subject.map(|subject| (subject, field)));
        self
    }

    /// With this outcome instead of `ok`.
    pub fn outcome(self, outcome: &'static str) -> Self {
        Self { outcome, ..self }
    }
}

/// The things whose names a row about this event may need.
pub(crate) fn mentioned(applied: &Applied) -> Vec<Named> {
    let stream = applied.recorded.stream.id();
    let mut named = Vec::new();
    match &applied.event {
        Event::User(_) => named.push(Named::new(Kind::User, stream)),
        Event::Session(event) => {
            named.push(Named::new(Kind::Session, stream));
            if let session::Event::SessionStarted(it) = event {
                named.push(Named::new(Kind::User, it.user));
            }
        }
        Event::Login(_)
        | Event::Federation(_)
        | Event::Challenge(_)
        | Event::Refusals(_)
        | Event::Key(_)
        | Event::Limits(_)
        | Event::Provider(_)
        | Event::Exchange(_) => {}
        Event::Organization(event) => {
            named.push(Named::new(Kind::Organization, stream));
            named.extend(in_organization(event));
        }
        Event::Project(event) => {
            named.push(Named::new(Kind::Project, stream));
            if let keynest_domain::project::Event::ProjectCreated(it) = event {
                named.push(Named::new(Kind::Organization, it.organization));
            }
        }
        Event::Environment(event) => {
            named.push(Named::new(Kind::Environment, stream));
            named.extend(in_environment(event));
        }
        Event::Access(access::Event::VariablesRead(it)) => {
            named.push(Named::new(Kind::Organization, it.organization));
        }
        Event::Access(access::Event::EnvironmentExported(it)) => {
            named.push(Named::new(Kind::Environment, it.environment));
            named.push(Named::new(Kind::Project, it.project));
        }
    }
    named
}

fn in_organization(event: &organization::Event) -> Option<Named> {
    match event {
        organization::Event::OrganizationCreated(_)
        | organization::Event::OrganizationUpdated(_)
        | organization::Event::SecurityPolicyChanged(_)
        | organization::Event::OrganizationDeleted(_)
        | organization::Event::AddressRulesChanged(_)
        | organization::Event::ServiceTokenCreated(_)
        | organization::Event::ServiceTokenRevoked(_)
        | organization::Event::TrustCreated(_)
        | organization::Event::TrustRemoved(_) => None,
        // Whoever accepts within the same batch finds the inviter through a fact that is not stored yet.
        organization::Event::InvitationSent(it) => Some(Named::new(Kind::User, it.inviter)),
        organization::Event::InvitationAccepted(it) => {
            Some(Named::new(Kind::Invitation, it.invitation))
        }
        organization::Event::InvitationRevoked(it) => {
            Some(Named::new(Kind::Invitation, it.invitation))
        }
        organization::Event::InvitationExpired(it) => {
            Some(Named::new(Kind::Invitation, it.invitation))
        }
        organization::Event::MemberJoined(it) => Some(Named::new(Kind::User, it.user)),
        organization::Event::MemberRoleChanged(it) => Some(Named::new(Kind::User, it.user)),
        organization::Event::MemberRemoved(it) => Some(Named::new(Kind::User, it.user)),
    }
}

fn in_environment(event: &environment::Event) -> Option<Named> {
    match event {
        environment::Event::EnvironmentCreated(it) => Some(Named::new(Kind::Project, it.project)),
        environment::Event::VariableChanged(it) => Some(Named::new(Kind::Variable, it.variable)),
        environment::Event::EnvironmentUpdated(_)
        | environment::Event::EnvironmentDeleted(_)
        | environment::Event::VariableCreated(_)
        | environment::Event::VariableRenamed(_)
        | environment::Event::VariableDeleted(_)
        | environment::Event::VariablesImported(_) => None,
    }
}
