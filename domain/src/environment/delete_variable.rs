//! The end of a variable; its id is never used again.

use super::{Environment, Event, Rejection, VariableDeleted};
use crate::VariableId;

/// A variable that is gone is absent, not deleted twice: its id answers like one that never was.
pub fn decide(state: &Environment, variable: VariableId) -> Result<Vec<Event>, Rejection> {
    let known = state.variables.get(&variable).ok_or(Rejection::VariableAbsent)?;
    Ok(vec![VariableDeleted { variable, key: known.key.clone() }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    #[test]
    fn a_variable_is_deleted_once() {
        given([created(), with(FIRST, "TOKEN")])
            .when(|state| decide(state, FIRST))
            .then([without(FIRST, "TOKEN")]);
        given([created(), with(FIRST, "TOKEN"), without(FIRST, "TOKEN")])
            .when(|state| decide(state, FIRST))
            .then_rejected(Rejection::VariableAbsent);
    }
}
