//! An admin removes a member.

use super::{Event, MemberRemoved, Organization, Rejection};
use crate::UserId;

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RemoveMember {
    pub actor: UserId,
    pub user: UserId,
}

/// Somebody who is not there cannot be removed: the contract wants that told.
pub fn decide(state: &Organization, wish: RemoveMember) -> Result<Vec<Event>, Rejection> {
    let RemoveMember { actor, user } = wish;
    let role = state.member_role(user).ok_or(Rejection::NotAMember)?;
    if actor == user {
        return Err(Rejection::RemovesOneself);
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
    fn a_member_leaves_with_the_role_it_had() {
        given([created(), joined(ANN, Role::Admin), joined(BOB, Role::Editor)])
            .when(|state| decide(state, RemoveMember { actor: ANN, user: BOB }))
            .then([MemberRemoved { user: BOB, role: Role::Editor }]);
    }

    #[test]
    fn neither_oneself_nor_the_last_admin_nor_a_stranger_is_removed() {
        let rows = [
            (ANN, ANN, Rejection::RemovesOneself),
            (BOB, ANN, Rejection::LastAdmin),
            (ANN, EVE, Rejection::NotAMember),
        ];
        for (actor, user, why) in rows {
            given([created(), joined(ANN, Role::Admin), joined(BOB, Role::Viewer)])
                .when(|state| decide(state, RemoveMember { actor, user }))
                .then_rejected(why);
        }
    }
}
