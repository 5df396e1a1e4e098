//! An admin gives a member another role.

use super::{Event, MemberRoleChanged, Organization, Rejection};
use crate::{Role, UserId};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateMemberRole {
    pub actor: UserId,
    pub user: UserId,
    pub role: Role,
}

/// The same role again is no change and no error.
pub fn decide(state: &Organization, wish: UpdateMemberRole) -> Result<Vec<Event>, Rejection> {
    let UpdateMemberRole { actor, user, role: to } = wish;
    let from = state.member_role(user).ok_or(Rejection::NotAMember)?;
    if actor == user {
        return Err(Rejection::OwnRole);
    }
    if from == to {
        return Ok(Vec::new());
    }
    if state.is_last_admin(user) {
        return Err(Rejection::LastAdmin);
    }
    Ok(vec![MemberRoleChanged { user, from, to }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::*;
    use crate::testing::given;

    #[test]
    fn a_role_changes_and_the_same_role_does_not() {
        let wish = |role| UpdateMemberRole { actor: ANN, user: BOB, role };
        let events = [created(), joined(ANN, Role::Admin), joined(BOB, Role::Viewer)];
        given(events.clone())
            .when(|state| decide(state, wish(Role::Editor)))
            .then([MemberRoleChanged { user: BOB, from: Role::Viewer, to: Role::Editor }]);
        given(events).when(|state| decide(state, wish(Role::Viewer))).then_nothing();
    }

    #[test]
    fn a_service_is_no_member() {
        let wish = UpdateMemberRole { actor: ANN, user: UserId::new(7), role: Role::Admin };
        given([created(), joined(ANN, Role::Admin), service_token(7, 100).into()])
            .when(|state| decide(state, wish))
            .then_rejected(Rejection::NotAMember);
    }

    #[test]
    fn the_last_admin_stays_and_nobody_changes_themselves() {
        let rows = [
            (ANN, ANN, Rejection::OwnRole),
            (BOB, ANN, Rejection::LastAdmin),
            (ANN, EVE, Rejection::NotAMember),
        ];
        for (actor, user, why) in rows {
            let wish = UpdateMemberRole { actor, user, role: Role::Editor };
            given([created(), joined(ANN, Role::Admin), joined(BOB, Role::Viewer)])
                .when(|state| decide(state, wish))
                .then_rejected(why);
        }
    }

    #[test]
    fn one_of_two_admins_may_step_down() {
        let wish = UpdateMemberRole { actor: ANN, user: BOB, role: Role::Editor };
        given([created(), joined(ANN, Role::Admin), joined(BOB, Role::Admin)])
            .when(|state| decide(state, wish))
            .then([MemberRoleChanged { user: BOB, from: Role::Admin, to: Role::Editor }]);
    }
}
