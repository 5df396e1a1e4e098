//! Invitations that nobody accepted in time.

use super::{Event, InvitationExpired, Organization, Rejection};
use crate::Timestamp;

/// One event per overdue invitation.
pub fn decide(state: &Organization, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    let overdue = state.pending.iter().filter(|(_, pending)| pending.expires_at <= at);
    Ok(overdue.map(|(id, _)| InvitationExpired { invitation: *id }.into()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::given::*;
    use super::super::invite_member::LIFETIME;
    use super::*;
    use crate::Lifetime;
    use crate::testing::given;

    #[test]
    fn only_the_overdue_ones_expire_and_only_once() {
        let later = NOON + Lifetime::from_hours(1);
        let events = [created(), sent(FIRST, NOON), sent(SECOND, later)];
        let expired: Event = InvitationExpired { invitation: FIRST }.into();
        given(events.clone()).when(|state| decide(state, later)).then_nothing();
        given(events.clone()).when(|state| decide(state, NOON + LIFETIME)).then([expired.clone()]);
        given(events.into_iter().chain([expired]))
            .when(|state| decide(state, NOON + LIFETIME))
            .then_nothing();
    }
}
