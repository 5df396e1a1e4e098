//! Another key, another value, or both.

use super::{Environment, Event, Rejection, VariableChanged, VariableRenamed};
use crate::{EnvironmentId, Sealed, VariableId, VariableKey};

/// The wish; `None` leaves a part as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeVariable {
    pub variable: VariableId,
    /// The environment that the caller named, if any.
    pub environment: Option<EnvironmentId>,
    pub key: Option<VariableKey>,
    /// Sealed for the variable's next version.
    pub value: Option<Sealed>,
}

/// A value that was given is a new version, even when it reads the same: whoever sent it rotated it.
pub fn decide(state: &Environment, wish: ChangeVariable) -> Result<Vec<Event>, Rejection> {
    let ChangeVariable { variable, environment, key, value } = wish;
    let known = state.variables.get(&variable).ok_or(Rejection::VariableAbsent)?;
    if environment.is_some() && environment != state.id {
        return Err(Rejection::ParentIsFixed);
    }
    let mut events = Vec::new();
    if let Some(to) = key.filter(|key| *key != known.key) {
        if state.keys.contains_key(&to) {
            return Err(Rejection::KeyTaken);
        }
        events.push(VariableRenamed { variable, from: known.key.clone(), to }.into());
    }
    if let Some(value) = value {
        events.push(VariableChanged { variable, value, version: known.version + 1 }.into());
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    fn wish(name: Option<&str>, value: Option<&str>) -> ChangeVariable {
        let key = name.map(key);
        ChangeVariable { variable: FIRST, environment: None, key, value: value.map(sealed) }
    }

    #[test]
    fn every_value_gets_the_next_version() {
        let changed = |version| VariableChanged { variable: FIRST, value: sealed("v"), version };
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| decide(state, wish(None, Some("v"))))
            .then([changed(2)]);
        given([created(), with(FIRST, "TOKEN"), changed(2).into()])
            .when(|state| decide(state, wish(Some("TOKEN"), Some("v"))))
            .then([changed(3)]);
    }

    #[test]
    fn a_renamed_key_is_free_again() {
        let renamed = VariableRenamed { variable: FIRST, from: key("OLD"), to: key("NEW") };
        given([created(), with(FIRST, "OLD")])
            .when(|state| decide(state, wish(Some("NEW"), None)))
            .then([renamed.clone()]);
        given([created(), with(FIRST, "OLD"), renamed.into(), with(SECOND, "OLD")])
            .when(|state| decide(state, wish(Some("OLD"), None)))
            .then_rejected(Rejection::KeyTaken);
    }

    #[test]
    fn nothing_given_is_nothing_done() {
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| decide(state, wish(Some("TOKEN"), None)))
            .then_nothing();
    }

    #[test]
    fn a_variable_never_leaves_its_environment_and_must_exist() {
        let moved =
            ChangeVariable { environment: Some(EnvironmentId::new(10)), ..wish(None, None) };
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| decide(state, moved))
            .then_rejected(Rejection::ParentIsFixed);
        given([created(), with(FIRST, "TOKEN"), without(FIRST, "TOKEN")])
            .when(|state| decide(state, wish(None, None)))
            .then_rejected(Rejection::VariableAbsent);
    }
}
