//! Prove again who holds the session, so that sensitive actions are open for a while.

use super::{Event, Rejection, SecondFactor, Session, SessionReauthenticated};
use crate::Timestamp;

/// How long after it a sensitive action is open, where the configuration does not say.
pub const FRESH: crate::Lifetime = crate::Lifetime::from_minutes(5);

/// Notes the proof; a session that has ended proves nothing.
pub fn decide(
    state: &Session,
    second_factor: Option<SecondFactor>,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    if state.id.is_none() || state.has_ended {
        return Err(Rejection::Ended);
    }
    Ok(vec![SessionReauthenticated { second_factor, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::session::EndReason;
    use crate::session::samples::{at, ended, refreshed, started};
    use crate::testing::given;

    #[test]
    fn a_living_session_is_proved_again() {
        let again = SessionReauthenticated { second_factor: None, at: at(900) };
        given::<Session>([started()]).when(|it| decide(it, None, at(900))).then([again]);
        given::<Session>([started(), ended(EndReason::SignedOut)])
            .when(|it| decide(it, None, at(900)))
            .then_rejected(Rejection::Ended);
        given::<Session>([]).when(|it| decide(it, None, at(9))).then_rejected(Rejection::Ended);
    }

    #[test]
    fn a_proof_is_fresh_for_a_while_and_a_refresh_is_none() {
        let is_fresh = |past: &[Event], seconds: u32| {
            let state = past.iter().fold(Session::default(), Session::evolve);
            state.require_fresh(at(seconds), FRESH).is_ok()
        };
        let refreshed = [started(), refreshed(1, 290)];
        assert!(is_fresh(&refreshed, 299) && !is_fresh(&refreshed, 300));
        let again = SessionReauthenticated { second_factor: None, at: at(900) };
        let proved = [started(), again.into()];
        assert!(is_fresh(&proved, 1_199) && !is_fresh(&proved, 1_200));
        assert!(!is_fresh(&[], 0));
        assert!(!is_fresh(&[started(), ended(EndReason::SignedOut)], 1));
    }
}
