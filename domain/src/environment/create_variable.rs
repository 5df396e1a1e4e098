//! A key with its first value.

use super::{Environment, Event, Rejection, VariableCreated};

/// Keys are unique in the environment, case-sensitive.
pub fn decide(state: &Environment, wish: VariableCreated) -> Result<Vec<Event>, Rejection> {
    if state.keys.contains_key(&wish.key) {
        return Err(Rejection::KeyTaken);
    }
    Ok(vec![wish.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    fn wish(name: &str) -> VariableCreated {
        VariableCreated { variable: SECOND, key: key(name), value: sealed("v1"), creator: ANN }
    }

    #[test]
    fn a_key_is_taken_until_its_variable_is_deleted() {
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| create(state, "TOKEN"))
            .then_rejected(Rejection::KeyTaken);
        given([created(), with(FIRST, "TOKEN"), without(FIRST, "TOKEN")])
            .when(|state| create(state, "TOKEN"))
            .then([wish("TOKEN")]);
    }

    #[test]
    fn keys_that_differ_in_case_are_two_keys() {
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| create(state, "token"))
            .then([wish("token")]);
    }

    fn create(state: &Environment, name: &str) -> Result<Vec<Event>, Rejection> {
        decide(state, wish(name))
    }
}
