//! A person whose account is erased leaves: a team of nobody else ends, one that would be without an admin stays.

use super::{Event, MemberRemoved, Organization, OrganizationDeleted, Rejection};
use crate::UserId;

/// Nothing to do for somebody who is not there.
pub fn decide(state: &Organization, user: UserId) -> Result<Vec<Event>, Rejection> {
    let Some(role) = state.member_role(user) else { return Ok(Vec::new()) };
    if state.members.size() == 1 {
        return Ok(vec![OrganizationDeleted {}.into()]);
    }
    if state.is_last_admin(user) {
        return Err(Rejection::LastAdmin);
    }
    Ok(vec![MemberRemoved { user, role }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::Role;
    use crate::testing::given;

    #[test]
    fn the_only_member_ends_the_team() {
        let leave = |state: &Organization| decide(state, ANN);
        given([created(), joined(ANN, Role::Admin)]).when(leave).then([OrganizationDeleted {}]);
        let gone = OrganizationDeleted {}.into();
        given([created(), joined(ANN, Role::Admin), gone]).when(leave).then_nothing();
    }

    #[test]
    fn a_member_goes_but_not_the_last_admin() {
        let shared = [created(), joined(ANN, Role::Admin), joined(BOB, Role::Editor)];
        given(shared.clone())
            .when(|state| decide(state, BOB))
            .then([MemberRemoved { user: BOB, role: Role::Editor }]);
        given(shared.clone()).when(|state| decide(state, ANN)).then_rejected(Rejection::LastAdmin);
        let two = [shared.as_slice(), &[joined(EVE, Role::Admin)]].concat();
        given(two)
            .when(|state| decide(state, ANN))
            .then([MemberRemoved { user: ANN, role: Role::Admin }]);
        given(shared).when(|state| decide(state, EVE)).then_nothing();
    }
}
