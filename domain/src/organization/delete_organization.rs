//! A team ends; everything in it becomes unreachable by this one event.

use super::{Event, Organization, OrganizationDeleted, Rejection};

/// Nothing to do for one that is gone.
pub fn decide(state: &Organization) -> Result<Vec<Event>, Rejection> {
    Ok(if state.is_alive() { vec![OrganizationDeleted {}.into()] } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::Role;
    use crate::testing::given;

    #[test]
    fn it_is_deleted_once_and_then_nobody_has_a_role() {
        given([created()]).when(decide).then([deleted()]);
        given([created(), deleted()]).when(decide).then_nothing();
        given([created(), joined(ANN, Role::Admin), deleted()])
            .when(|state: &Organization| {
                assert_eq!(state.role_of(ANN), None);
                decide(state)
            })
            .then_nothing();
    }
}
