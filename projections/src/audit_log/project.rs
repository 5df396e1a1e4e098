//! Projects in the audit log.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::project::Event;
use serde_json::json;

use super::entry::Entry;
use super::facts::{Fact, Facts, Kind};
use crate::error::ApplyError;
use crate::projection::Applied;

pub(crate) async fn describe(
    applied: &Applied,
    event: &Event,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let id = applied.stream_number()?;
    let fact = facts.get(Kind::Project, id);
    let organization = facts.organization_of(&fact);
    let entry = |action, details| Entry::new(action, "project", id, details);
    Ok(match event {
        Event::ProjectCreated(it) => {
            let subject = Subject::Organization(it.organization);
            let name = applied.open(keyring, subject, "name", &it.name).await?;
            let organization = Some(it.organization.to_string());
            let fact = Fact { name: name.clone(), organization, ..Fact::default() };
            let details = json!({"name": name, "organization": facts.organization_of(&fact)});
            facts.set(Kind::Project, id, fact);
            entry("create", details).within(Some(it.organization))
        }
        Event::ProjectUpdated(it) => {
            let subject = fact.organization().map(Subject::Organization);
            let subject = subject.ok_or_else(|| ApplyError::failing("the project is not known"))?;
            let name = applied.open(keyring, subject, "name", &it.name).await?;
            let old_name = facts.rename(Kind::Project, id, name.clone());
            let details = json!({"name": name, "old_name": old_name, "organization": organization});
            entry("update", details).within(fact.organization())
        }
        Event::ProjectDeleted(_) => {
            let details = json!({"name": fact.name, "organization": organization});
            entry("delete", details).within(fact.organization())
        }
    })
}
