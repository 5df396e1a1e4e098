//! What is sealed in an event and yet no secret of an organization from its own auditors: what its audit log or a list of
//! theirs shows them anyway. Values are not among it: whoever reads one is recorded.

use keynest_crypto::Context;
use keynest_domain::{InvitationId, Sealed, Subject};
use serde::Deserialize;
use serde_json::Value;

use crate::port::Recorded;

/// Sealed under the key of the organization that the event happened in.
const OF_ORGANIZATION: &[(&str, &[&str])] = &[
    ("organization.created", &["name", "description"]),
    ("organization.updated", &["name", "description"]),
    ("organization.service_token_created", &["name"]),
    ("organization.trust_created", &["name"]),
    ("exchange.token_exchanged", &["subject"]),
    ("project.created", &["name", "description"]),
    ("project.updated", &["name", "description"]),
    ("environment.created", &["name", "description"]),
    ("environment.updated", &["name", "description"]),
];
/// Sealed under the key of an invitation, which the payload names.
const INVITATION_SENT: &str = "organization.invitation_sent";
const ADDRESS: &str = "address";

/// A field that an auditor may see, with what opens it.
#[derive(Clone, Debug)]
pub struct SealedField {
    /// Its name in the payload.
    pub field: &'static str,
    /// What it was sealed for.
    pub context: Context,
    /// As it is stored.
    pub sealed: Sealed,
}

/// The names of the fields of an event that auditors may see opened.
pub fn fields_for_auditors(name: &str) -> &'static [&'static str] {
    if name == INVITATION_SENT {
        return &[ADDRESS];
    }
    OF_ORGANIZATION.iter().find(|(it, _)| *it == name).map_or(&[], |(_, fields)| fields)
}

/// What auditors of the event's organization may see opened of it; a field without a value is left out.
pub fn sealed_for_auditors(recorded: &Recorded) -> Vec<SealedField> {
    let name: &str = &recorded.name;
    let fields = fields_for_auditors(name);
    if fields.is_empty() {
        return vec![];
    }
    let Ok(data) = serde_json::from_slice::<Value>(&recorded.data) else { return vec![] };
    let subject = match name {
        INVITATION_SENT => {
            InvitationId::deserialize(&data["invitation"]).ok().map(Subject::Invitation)
        }
        _ => recorded.metadata.organization.map(Subject::Organization),
    };
    let Some(subject) = subject else { return vec![] };
    let sealed = |field: &'static str| {
        let sealed = Sealed::deserialize(&data[field]).ok()?;
        let context = Context::new(subject, recorded.stream.clone(), name.to_owned(), field);
        Some(SealedField { field, context, sealed })
    };
    fields.iter().copied().filter_map(sealed).collect()
}
