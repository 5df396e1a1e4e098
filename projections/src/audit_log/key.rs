//! Destroyed keys in the audit log: what was sealed under them is gone.

use keynest_domain::Subject;
use keynest_domain::key::Event;
use serde_json::json;

use super::entry::Entry;

pub(crate) fn describe(event: &Event) -> Entry {
    let Event::KeyDestroyed(it) = event;
    let details = json!({"subject": it.subject, "kind": it.subject.kind()});
    let entry = Entry::new("key_destroyed", "key", it.key, details);
    match it.subject {
        Subject::User(user) | Subject::Farewell(user) => entry.about(Some(user)),
        Subject::Organization(organization) => entry.within(Some(organization)),
        // Which organization they belonged to is not in the event.
        Subject::Environment(_) | Subject::Invitation(_) | Subject::Day(_) | Subject::Instance => {
            entry
        }
    }
}
