//! Identity providers of administrators in the audit log.

use keynest_domain::provider::Event;
use serde_json::json;

use super::entry::Entry;

/// What was set up is named; of a secret only that there is another one.
pub(crate) fn describe(event: &Event) -> Entry {
    match event {
        Event::ProviderAdded(it) => {
            let details = json!({"name": it.name.as_str(), "issuer": it.issuer, "title": it.title,
                "client_id": it.client_id, "scopes": it.scopes, "origins": it.origins});
            Entry::new("create", "provider", it.provider, details)
        }
        Event::ProviderChanged(it) => {
            let details = json!({"title": it.title, "client_id": it.client_id, "scopes": it.scopes,
                "origins": it.origins, "has_new_secret": it.client_secret.is_some()});
            Entry::new("update", "provider", it.provider, details)
        }
        Event::ProviderRemoved(it) => {
            Entry::new("delete", "provider", it.provider, json!({"name": it.name.as_str()}))
        }
    }
}
