//! The invited person joins, once.

use super::{
    Ended, Event, InvitationAccepted, MEMBERS_MAX, MemberJoined, Organization, Pending, Rejection,
};
use crate::{InvitationId, Timestamp, UserId};

/// The wish, by somebody who holds the invitation's token.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AcceptInvitation {
    pub invitation: InvitationId,
    /// The active account behind the invited address, if there is one.
    pub invitee: Option<UserId>,
    /// Who is signed in, if anybody.
    pub caller: Option<UserId>,
    pub at: Timestamp,
}

/// The invitation, as long as it is good: pending and not overdue.
pub fn open_invitation(
    state: &Organization,
    invitation: InvitationId,
    at: Timestamp,
) -> Result<&Pending, Rejection> {
    if !state.is_alive() {
        return Err(Rejection::InvitationUnknown);
    }
    match (state.pending.get(&invitation), state.ended.get(&invitation).map(|(how, _)| how)) {
        (Some(pending), _) if pending.expires_at > at => Ok(pending),
        (Some(_), _) | (None, Some(Ended::Expired)) => Err(Rejection::InvitationExpired),
        (None, Some(Ended::Accepted)) => Err(Rejection::InvitationUsed),
        (None, Some(Ended::Revoked)) => Err(Rejection::InvitationRevoked),
        (None, None) => Err(Rejection::InvitationUnknown),
    }
}

/// The member limit holds here too (D25). The role is that of the invitation at this moment.
pub fn decide(state: &Organization, wish: AcceptInvitation) -> Result<Vec<Event>, Rejection> {
    let AcceptInvitation { invitation, invitee, caller, at } = wish;
    let &Pending { role, inviter, .. } = open_invitation(state, invitation, at)?;
    if caller.is_some() && caller != invitee {
        return Err(Rejection::InvitationForAnother);
    }
    let user = invitee.ok_or(Rejection::AccountMissing)?;
    if state.members.contains_key(&user) {
        return Err(Rejection::AlreadyMember);
    }
    if state.members.size() >= MEMBERS_MAX {
        return Err(Rejection::OrganizationFull);
    }
    Ok(vec![
        InvitationAccepted { invitation, inviter, user }.into(),
        MemberJoined { user, role, at }.into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::super::invite_member::LIFETIME;
    use super::super::{InvitationExpired, InvitationRevoked};
    use super::*;
    use crate::Role;
    use crate::testing::given;

    fn wish() -> AcceptInvitation {
        AcceptInvitation { invitation: FIRST, invitee: Some(BOB), caller: None, at: NOON }
    }

    fn accepted() -> Event {
        InvitationAccepted { invitation: FIRST, inviter: ANN, user: BOB }.into()
    }

    #[test]
    fn the_token_alone_joins_the_invited_account() {
        for caller in [None, Some(BOB)] {
            given([created(), sent(FIRST, NOON)])
                .when(|state| decide(state, AcceptInvitation { caller, ..wish() }))
                .then([accepted(), joined(BOB, Role::Viewer)]);
        }
    }

    #[test]
    fn a_link_says_why_it_is_dead() {
        let rows: [(Vec<Event>, Rejection); 5] = [
            (vec![], Rejection::InvitationUnknown),
            (vec![sent(FIRST, NOON), accepted()], Rejection::InvitationUsed),
            (
                vec![sent(FIRST, NOON), InvitationRevoked { invitation: FIRST }.into()],
                Rejection::InvitationRevoked,
            ),
            (
                vec![sent(FIRST, NOON), InvitationExpired { invitation: FIRST }.into()],
                Rejection::InvitationExpired,
            ),
            (vec![sent(FIRST, NOON), deleted()], Rejection::InvitationUnknown),
        ];
        for (events, why) in rows {
            given([created()].into_iter().chain(events))
                .when(|state| decide(state, wish()))
                .then_rejected(why);
        }
    }

    #[test]
    fn an_overdue_link_is_dead_before_the_janitor_comes() {
        given([created(), sent(FIRST, NOON)])
            .when(|state| decide(state, AcceptInvitation { at: NOON + LIFETIME, ..wish() }))
            .then_rejected(Rejection::InvitationExpired);
    }

    #[test]
    fn only_the_invited_account_joins_and_only_if_there_is_room() {
        let crowd = (0..MEMBERS_MAX as i64).map(|id| joined(UserId::new(100 + id), Role::Viewer));
        let rows: [(Vec<Event>, AcceptInvitation, Rejection); 4] = [
            (
                vec![],
                AcceptInvitation { caller: Some(ANN), ..wish() },
                Rejection::InvitationForAnother,
            ),
            (vec![], AcceptInvitation { invitee: None, ..wish() }, Rejection::AccountMissing),
            (vec![joined(BOB, Role::Editor)], wish(), Rejection::AlreadyMember),
            (crowd.collect(), wish(), Rejection::OrganizationFull),
        ];
        for (events, wish, why) in rows {
            given([created(), sent(FIRST, NOON)].into_iter().chain(events))
                .when(|state| decide(state, wish))
                .then_rejected(why);
        }
    }
}
