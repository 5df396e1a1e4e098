//! Changed limits in the audit log.

use keynest_domain::limits::{Event, LimitChanged};
use serde_json::json;

use super::entry::Entry;

/// Filed under the organization, if it has a limit of its own now.
pub(crate) fn describe(event: &Event) -> Entry {
    let Event::LimitChanged(LimitChanged { policy, organization, quota }) = event;
    let details = json!({"policy": policy, "quota": quota.map(|it| it.quota),
        "window_seconds": quota.map(|it| it.window_seconds), "organization_id": organization});
    Entry::new("update", "limit", policy.name(), details).within(*organization)
}
