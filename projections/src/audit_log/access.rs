//! Who saw which values, and who was refused, in the audit log.

use keynest_domain::access::Event;
use keynest_domain::refusals;
use serde_json::json;

use super::entry::Entry;
use super::facts::{Facts, Kind};
use crate::projection::Applied;

/// Ids of variables that one row lists.
const LISTED_MAX: usize = 100;

pub(crate) fn describe(event: &Event, facts: &Facts) -> Entry {
    match event {
        Event::VariablesRead(it) => {
            let target = match it.variables.as_slice() {
                [variable] => variable.to_string(),
                _ => String::new(),
            };
            let listed = &it.variables[..it.variables.len().min(LISTED_MAX)];
            let details = json!({"variable_count": it.variables.len(), "variables": listed});
            Entry::new("read", "variable", target, details).within(Some(it.organization))
        }
        Event::EnvironmentExported(it) => {
            let details = json!({"format": it.format.name(), "variable_count": it.variables,
                "failed_decryptions": 0,
                "environment": facts.name(Kind::Environment, it.environment),
                "project": facts.name(Kind::Project, it.project)});
            let entry = Entry::new("export", "environment", it.environment, details);
            entry.within(Some(it.organization))
        }
    }
}

/// Filed under the organization whose object was asked for, else under the one that the request named.
pub(crate) fn describe_refusal(applied: &Applied, event: &refusals::Event) -> Entry {
    let refusals::Event::AccessRefused(it) = event;
    let of_stream = applied.recorded.stream.id().parse().ok();
    let details = json!({"route": it.route, "code": it.code, "count": it.count});
    let object = it.object.clone().unwrap_or_default();
    let (action, outcome) = match it.code.as_str() {
        refusals::WOULD_REFUSE => ("would_refuse", "ok"),
        _ => ("refused", "refused"),
    };
    Entry::new(action, "request", object, details)
        .within(of_stream.or(applied.recorded.metadata.organization))
        .outcome(outcome)
}
