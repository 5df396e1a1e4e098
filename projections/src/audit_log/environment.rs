//! Environments and variables in the audit log: keys, never values.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::environment::{EnvironmentCreated, Event};
use serde_json::{Value, json};

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
    let fact = facts.get(Kind::Environment, id);
    let organization = fact.organization();
    let (name, project) = (fact.name.clone(), facts.project_of(&fact));
    let placed = |mut details: Value| {
        details["environment"] = json!(name);
        details["project"] = json!(project);
        details
    };
    let entry = |action, details| Entry::new(action, "environment", id, details);
    let entry = match event {
        Event::EnvironmentCreated(it) => return create(applied, it, facts, keyring).await,
        Event::EnvironmentUpdated(it) => {
            let subject = organization.map(Subject::Organization);
            let subject =
                subject.ok_or_else(|| ApplyError::failing("the environment is not known"))?;
            let name = applied.open(keyring, subject, "name", &it.name).await?;
            let old_name = facts.rename(Kind::Environment, id, name.clone());
            let details = json!({"name": name, "old_name": old_name, "project": project,
                "type": it.environment_type.name()});
            entry("update", details)
        }
        Event::EnvironmentDeleted(_) => {
            entry("delete", json!({"name": fact.name, "project": project}))
        }
        Event::VariableCreated(it) => {
            remember_key(facts, it.variable, it.key.as_str());
            Entry::new("create", "variable", it.variable, placed(json!({"key": it.key})))
        }
        Event::VariableChanged(it) => {
            let key = facts.name(Kind::Variable, it.variable);
            let details = json!({"key": key, "value_updated": true, "had_value": true,
                "version": it.version});
            Entry::new("update", "variable", it.variable, placed(details))
        }
        Event::VariableRenamed(it) => {
            remember_key(facts, it.variable, it.to.as_str());
            let details = json!({"key": it.to, "old_key": it.from});
            Entry::new("rename", "variable", it.variable, placed(details))
        }
        Event::VariableDeleted(it) => {
            Entry::new("delete", "variable", it.variable, placed(json!({"key": it.key})))
        }
        Event::VariablesImported(it) => {
            let details = json!({"format": it.format.name(), "imported_count": it.created,
                "updated_count": it.changed, "failed_imports": 0, "overwrite_enabled": it.overwrite});
            entry("import", placed(details))
        }
    };
    Ok(entry.within(organization))
}

async fn create(
    applied: &Applied,
    it: &EnvironmentCreated,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let subject = Subject::Organization(it.organization);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let fact = Fact {
        name: name.clone(),
        organization: Some(it.organization.to_string()),
        project: Some(it.project.to_string()),
        ..Fact::default()
    };
    let details = json!({"name": name, "project": facts.project_of(&fact),
        "type": it.environment_type.name()});
    facts.set(Kind::Environment, it.environment, fact);
    let entry = Entry::new("create", "environment", it.environment, details);
    Ok(entry.within(Some(it.organization)))
}

fn remember_key(facts: &mut Facts, variable: keynest_domain::VariableId, key: &str) {
    let name = Some(key.to_owned());
    facts.set(Kind::Variable, variable, Fact { name, ..Fact::default() });
}
