//! An admin takes an invitation back.

use super::{Ended, Event, InvitationRevoked, Organization, Rejection};
use crate::InvitationId;

/// Nothing to do for one that is revoked or expired.
pub fn decide(state: &Organization, invitation: InvitationId) -> Result<Vec<Event>, Rejection> {
    if state.pending.contains_key(&invitation) {
        return Ok(vec![InvitationRevoked { invitation }.into()]);
    }
    match state.ended.get(&invitation).map(|(how, _)| how) {
        Some(Ended::Revoked | Ended::Expired) => Ok(Vec::new()),
        Some(Ended::Accepted) => Err(Rejection::InvitationUsed),
        None => Err(Rejection::InvitationUnknown),
    }
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::super::{InvitationAccepted, InvitationExpired};
    use super::*;
    use crate::testing::given;

    #[test]
    fn a_pending_one_is_revoked_once() {
        let revoked: Event = InvitationRevoked { invitation: FIRST }.into();
        given([created(), sent(FIRST, NOON)])
            .when(|state| decide(state, FIRST))
            .then([revoked.clone()]);
        given([created(), sent(FIRST, NOON), revoked])
            .when(|state| decide(state, FIRST))
            .then_nothing();
    }

    #[test]
    fn one_that_has_ended_otherwise_is_not_revoked() {
        let expired = InvitationExpired { invitation: FIRST }.into();
        let accepted = InvitationAccepted { invitation: FIRST, inviter: ANN, user: BOB }.into();
        given([created(), sent(FIRST, NOON), expired])
            .when(|state| decide(state, FIRST))
            .then_nothing();
        given([created(), sent(FIRST, NOON), accepted])
            .when(|state| decide(state, FIRST))
            .then_rejected(Rejection::InvitationUsed);
        given([created()])
            .when(|state| decide(state, FIRST))
            .then_rejected(Rejection::InvitationUnknown);
    }
}
