//! Trips to identity providers in the audit log.

use keynest_domain::federation::{Event, Use};
use serde_json::json;

use super::entry::Entry;
use crate::projection::Applied;

pub(crate) fn describe(applied: &Applied, event: &Event) -> Entry {
    let trip = applied.recorded.stream.id();
    match event {
        Event::ProviderAnswered(it) => {
            let details = json!({"provider": it.provider.as_str(), "trip": trip});
            Entry::new("oauth_answer", "authentication", it.provider.as_str(), details)
        }
        Event::ProofUsed(it) => {
            let used_for = match it.used_for {
                Use::SignIn => "sign_in",
                Use::Registration => "registration",
                Use::Link => "link",
            };
            let details =
                json!({"provider": it.provider.as_str(), "used_for": used_for, "trip": trip});
            Entry::new("oauth_login", "authentication", it.provider.as_str(), details)
                .by_owner(Some(it.user))
        }
    }
}
