//! End a session: signed out, expired, or for other reasons.

use super::{EndReason, Event, Lifetimes, Rejection, Session, SessionEnded};
use crate::Timestamp;

/// Ends it once; a session that has ended or never was stays as it is.
pub fn decide(state: &Session, reason: EndReason) -> Result<Vec<Event>, Rejection> {
    let (Some(session), Some(user), false) = (state.id, state.user, state.has_ended) else {
        return Ok(Vec::new());
    };
    Ok(vec![SessionEnded { session, user, reason }.into()])
}

/// Ends it if its time is over, for the janitor.
pub fn expire(
    state: &Session,
    lifetimes: &Lifetimes,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    if state.has_expired(lifetimes, at) {
        decide(state, EndReason::Expired)
    } else {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::samples::{at, ended, refreshed, started};
    use crate::testing::given;

    const DAY: u32 = 86_400;

    #[test]
    fn a_session_ends_once() {
        let end = |state: &Session| decide(state, EndReason::SignedOut);
        given::<Session>([]).when(end).then_nothing();
        given::<Session>([started()]).when(end).then([ended(EndReason::SignedOut)]);
        given::<Session>([started(), ended(EndReason::SignedOut)]).when(end).then_nothing();
    }

    fn expire(state: &Session, at: Timestamp) -> Result<Vec<Event>, Rejection> {
        super::expire(state, &Lifetimes::default(), at)
    }

    #[test]
    fn lifetimes_are_those_of_the_operator() {
        let hour = |hours| crate::Lifetime::from_hours(hours);
        let short = Lifetimes { idle: hour(2), absolute: hour(3), ..Lifetimes::default() };
        let expire = |state: &Session, seconds| super::expire(state, &short, at(seconds));
        let expired = [ended(EndReason::Expired)];
        given::<Session>([started()]).when(|it| expire(it, 7_199)).then_nothing();
        given::<Session>([started()]).when(|it| expire(it, 7_200)).then(expired.clone());
        let used = [started(), refreshed(1, 5_400)];
        given::<Session>(used.clone()).when(|it| expire(it, 10_799)).then_nothing();
        given::<Session>(used).when(|it| expire(it, 10_800)).then(expired);
    }

    #[test]
    fn a_session_expires_idle_or_old() {
        let expired = [ended(EndReason::Expired)];
        let fresh = [started(), refreshed(1, 6 * DAY)];
        given::<Session>([started()]).when(|it| expire(it, at(7 * DAY - 1))).then_nothing();
        given::<Session>([started()]).when(|it| expire(it, at(7 * DAY))).then(expired.clone());
        given::<Session>(fresh.clone()).when(|it| expire(it, at(7 * DAY))).then_nothing();
        given::<Session>(fresh).when(|it| expire(it, at(13 * DAY))).then(expired.clone());
        let used = (1..=29).map(|day| refreshed(day, day * DAY));
        let old: Vec<Event> = std::iter::once(started()).chain(used).collect();
        given::<Session>(old.clone()).when(|it| expire(it, at(30 * DAY - 1))).then_nothing();
        given::<Session>(old).when(|it| expire(it, at(30 * DAY))).then(expired);
    }
}
