//! Old stored shapes to the next shape, one pure step each (DESIGN 4). One file per step, named
//! `<event>_v<from>.rs`, and one line in the table.

mod session_started_v1;
mod user_registered_v1;
mod user_token_created_v1;

use serde_json::Value;

/// Stored name, the version it reads, and the step to the next version.
pub(crate) type Upcaster = (&'static str, u16, fn(Value) -> Value);

/// All steps.
pub(crate) const UPCASTERS: &[Upcaster] = &[
    ("session.started", 1, session_started_v1::second_factor),
    ("user.registered", 1, user_registered_v1::may_lack_a_password),
    ("user.token_created", 1, user_token_created_v1::is_two_factor),
];

/// Takes a payload from its version up to the current one; `None` for a version from the future or
/// one that no step reads.
pub(crate) fn raise(
    table: &[Upcaster],
    name: &str,
    version: u16,
    current: u16,
    value: Value,
) -> Option<Value> {
    if version > current {
        return None;
    }
    (version..current).try_fold(value, |value, from| Some(step(table, name, from)?(value)))
}

fn step(table: &[Upcaster], name: &str, from: u16) -> Option<fn(Value) -> Value> {
    table.iter().find(|(of, at, _)| *of == name && *at == from).map(|(_, _, step)| *step)
}

#[cfg(test)]
pub(crate) fn has_step(table: &[Upcaster], name: &str, from: u16) -> bool {
    step(table, name, from).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// v1 had one name, v2 has two, v3 counts.
    const TABLE: &[Upcaster] = &[
        ("user.renamed", 1, |old| json!({ "first": old["name"], "last": "" })),
        ("user.renamed", 2, |mut old| {
            old["count"] = json!(0);
            old
        }),
        ("user.other", 1, |_| json!("wrong event")),
    ];

    #[test]
    fn an_old_shape_climbs_step_by_step() {
        let raised = raise(TABLE, "user.renamed", 1, 3, json!({ "name": "Ann" }));
        assert_eq!(raised, Some(json!({ "first": "Ann", "last": "", "count": 0 })));
    }

    #[test]
    fn it_starts_at_its_own_version() {
        let raised = raise(TABLE, "user.renamed", 2, 3, json!({ "first": "A", "last": "B" }));
        assert_eq!(raised, Some(json!({ "first": "A", "last": "B", "count": 0 })));
    }

    #[test]
    fn a_missing_step_and_the_future_are_not_guessed() {
        assert_eq!(raise(TABLE, "user.renamed", 1, 4, json!({})), None);
        assert_eq!(raise(TABLE, "user.renamed", 4, 3, json!({})), None);
        assert_eq!(raise(TABLE, "user.renamed", 0, 3, json!({})), None);
    }
}
