//! Exchange a refresh token for its successor (DESIGN 8).
//!
//! With N the newest generation that was handed out:
//!
//! | presented | means | answer |
//! |---|---|---|
//! | N | first use of the newest | N+1 is handed out |
//! | N-1 | its successor N was not used yet | N again |
//! | N-2 | its successor N-1 was first used when N was handed out | N-1 again, for 10 s from then on |
//! | older | theft | the session ends |

use super::{
    EndReason, Event, Lifetimes, RefreshTokenReuseDetected, Rejection, Session, SessionEnded,
    SessionRefreshed,
};
use crate::user::User;
use crate::{KeyId, Lifetime, Timestamp};

/// A client that never stores the newer token (R7) uses the previous one for weeks; its use is noted this often, so that
/// it is not taken for idle.
pub const NOTED_EVERY: Lifetime = Lifetime::from_hours(1);

/// The wish, with the generation of a token whose signature was verified.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Refresh {
    pub presented: u32,
    /// The key that derived the presented token.
    pub presented_key: KeyId,
    /// The key that derives the next generation.
    pub refresh_key: KeyId,
    pub lifetimes: Lifetimes,
    pub at: Timestamp,
}

/// What the bearer of a token gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The token of this generation, derived by this key.
    Successor {
        /// One after the presented one.
        generation: u32,
        /// The key that handed it out.
        key: KeyId,
    },
    /// Nothing: the token was stolen, the session ends.
    Theft,
}

/// The answer, and the events that must be in the log before it is given.
pub fn decide(
    state: &Session,
    user: &User,
    wish: Refresh,
) -> Result<(Answer, Vec<Event>), Rejection> {
    let (Some(session), Some(owner), Some(newest_key)) = (state.id, state.user, state.refresh_key)
    else {
        return Err(Rejection::TokenInvalid);
    };
    if state.has_ended {
        return Err(Rejection::Ended);
    }
    if state.has_expired(&wish.lifetimes, wish.at) {
        return Err(Rejection::Expired);
    }
    if !user.honours(session, state.epoch) {
        return Err(Rejection::CredentialsChanged);
    }
    let Refresh { presented, presented_key, refresh_key, lifetimes, at } = wish;
    let Some(age) = state.generation.checked_sub(presented) else {
        return Err(Rejection::TokenInvalid);
    };
    let named = [Some(newest_key), state.previous_key];
    if named.get(age as usize).is_some_and(|named| *named != Some(presented_key)) {
        return Err(Rejection::TokenInvalid);
    }
    let is_in_grace = state.rotated_at.is_some_and(|rotated| at < rotated + lifetimes.grace);
    Ok(match (age, state.previous_key) {
        (0, _) => {
            let generation = presented + 1;
            let refreshed = SessionRefreshed { generation, refresh_key, at };
            (Answer::Successor { generation, key: refresh_key }, vec![refreshed.into()])
        }
        (1, _) => {
            let generation = state.generation;
            (Answer::Successor { generation, key: newest_key }, note_use(state, newest_key, at))
        }
        (2, Some(key)) if is_in_grace => {
            (Answer::Successor { generation: presented + 1, key }, Vec::new())
        }
        _ => {
            let detected = RefreshTokenReuseDetected { user: owner, presented };
            let ended = SessionEnded { session, user: owner, reason: EndReason::TokenReuse };
            (Answer::Theft, vec![detected.into(), ended.into()])
        }
    })
}

fn note_use(state: &Session, refresh_key: KeyId, at: Timestamp) -> Vec<Event> {
    if state.last_used_at.is_some_and(|last| at < last + NOTED_EVERY) {
        return Vec::new();
    }
    vec![SessionRefreshed { generation: state.generation, refresh_key, at }.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::session::samples::{ANN, LAPTOP, at, ended, key, refreshed, started};
    use crate::user::{PasswordReset, UserActivated, UserRegistered};

    const HOUR: u32 = 3_600;
    const DAY: u32 = 24 * HOUR;

    fn ann() -> User {
        let sealed = || crate::Sealed::from_bytes(Vec::new());
        let registered = UserRegistered {
            user: ANN,
            username: sealed(),
            email: sealed(),
            first_name: sealed(),
            last_name: sealed(),
            password: Some(sealed()),
            nonce: crate::LinkNonce::new(1),
            expires_at: at(0),
            at: at(0),
        };
        let user = User::default().evolve(&registered.into());
        user.evolve(&UserActivated { at: at(0) }.into())
    }

    fn present(
        past: &[Event],
        presented: u32,
        seconds: u32,
    ) -> Result<(Answer, Vec<Event>), Rejection> {
        let state = past.iter().fold(Session::default(), Session::evolve);
        let refresh_key = key(state.generation + 1);
        let presented_key = key(presented);
        let (lifetimes, at) = (Lifetimes::default(), at(seconds));
        decide(&state, &ann(), Refresh { presented, presented_key, refresh_key, lifetimes, at })
    }

    fn successor(generation: u32) -> Answer {
        Answer::Successor { generation, key: key(generation) }
    }

    /// Newest generation 3, handed out at 1,000 s.
    fn rotated() -> Vec<Event> {
        vec![started(), refreshed(1, 10), refreshed(2, 20), refreshed(3, 1_000)]
    }

    #[test]
    fn each_token_answers_with_its_own_successor_until_that_was_used_and_10_s_longer() {
        let theft = || {
            let detected = RefreshTokenReuseDetected { user: ANN, presented: 1 };
            vec![detected.into(), ended(EndReason::TokenReuse)]
        };
        for (presented, seconds, answer, events) in [
            (3, 1_000, successor(4), vec![refreshed(4, 1_000)]),
            (3, DAY, successor(4), vec![refreshed(4, DAY)]),
            (2, 1_000, successor(3), vec![]),
            (2, 1_000 + HOUR - 1, successor(3), vec![]),
            (2, 1_000 + HOUR, successor(3), vec![refreshed(3, 1_000 + HOUR)]),
            (1, 1_000, successor(2), vec![]),
            (1, 1_009, successor(2), vec![]),
            (1, 1_010, Answer::Theft, theft()),
        ] {
            let said = present(&rotated(), presented, seconds);
            assert_eq!(said, Ok((answer, events)), "generation {presented} after {seconds} s");
        }
    }

    #[test]
    fn a_token_three_generations_old_is_theft_at_once() {
        let (answer, events) = present(&rotated(), 0, 1_000).unwrap();
        assert_eq!((answer, events.len()), (Answer::Theft, 2));
    }

    #[test]
    fn a_generation_that_was_never_handed_out_is_not_valid() {
        assert_eq!(present(&rotated(), 4, 1_000), Err(Rejection::TokenInvalid));
        assert_eq!(present(&[], 0, 0), Err(Rejection::TokenInvalid));
    }

    #[test]
    fn a_token_of_another_key_than_the_session_named_is_not_valid() {
        let state = rotated().iter().fold(Session::default(), Session::evolve);
        for presented in [3, 2] {
            let (presented_key, refresh_key) = (key(9), key(4));
            let (lifetimes, at) = (Lifetimes::default(), at(1_000));
            let wish = Refresh { presented, presented_key, refresh_key, lifetimes, at };
            assert_eq!(decide(&state, &ann(), wish), Err(Rejection::TokenInvalid));
        }
    }

    #[test]
    fn a_client_that_never_stores_the_newer_token_stays_signed_in_for_30_days() {
        let mut past = vec![started()];
        for hour in 1..30 * 24 {
            let (answer, events) = present(&past, 0, hour * HOUR).unwrap();
            assert_eq!(answer, successor(1), "hour {hour}");
            past.extend(events);
        }
        assert_eq!(present(&past, 0, 30 * DAY), Err(Rejection::Expired));
    }

    #[test]
    fn the_grace_is_that_of_the_operator() {
        let state = rotated().iter().fold(Session::default(), Session::evolve);
        let answer = |seconds, grace| {
            let lifetimes = Lifetimes { grace, ..Lifetimes::default() };
            let (presented_key, refresh_key) = (key(1), key(4));
            let at = at(seconds);
            let wish = Refresh { presented: 1, presented_key, refresh_key, lifetimes, at };
            decide(&state, &ann(), wish).unwrap().0
        };
        assert_eq!(answer(1_029, Lifetime::from_secs(30)), successor(2));
        assert_eq!(answer(1_030, Lifetime::from_secs(30)), Answer::Theft);
    }

    #[test]
    fn an_ended_or_idle_session_is_not_refreshed() {
        let past = [started(), ended(EndReason::SignedOut)];
        assert_eq!(present(&past, 0, 1), Err(Rejection::Ended));
        assert_eq!(present(&[started()], 0, 7 * DAY), Err(Rejection::Expired));
    }

    #[test]
    fn a_session_dies_with_the_credentials_that_it_began_with() {
        let state = Session::default().evolve(&started());
        let (presented_key, refresh_key, lifetimes) = (key(0), key(1), Lifetimes::default());
        let wish = Refresh { presented: 0, presented_key, refresh_key, lifetimes, at: at(5) };
        let password = crate::Sealed::from_bytes(Vec::new());
        let user = ann().evolve(&PasswordReset { password, epoch: 1, at: at(2) }.into());
        assert_eq!(decide(&state, &user, wish), Err(Rejection::CredentialsChanged));
        let kept = User { kept: Some(LAPTOP), ..user };
        assert_eq!(decide(&state, &kept, wish).unwrap().0, successor(1));
    }
}
