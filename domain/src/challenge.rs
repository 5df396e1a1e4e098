//! The question between a proved first factor and a session: answered once, in time, within a few tries. The same
//! stream marks the one use of the ceremonies that begin without an event.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::session::SignInMethod;
use crate::{Aggregate, ChallengeId, Lifetime, Timestamp, UserId};

/// How long a question stands, where the configuration does not say.
pub const LIFETIME: Lifetime = Lifetime::from_minutes(5);
/// Wrong answers after which a question is dead.
pub const ATTEMPTS_MAX: u32 = 5;

events! {
    /// The first factor was right; the second one is asked for.
    ChallengeIssued = "challenge.issued" v 1,
    /// A wrong answer.
    ChallengeFailed = "challenge.failed" v 1,
    /// The one right answer, or the one use of a ceremony.
    ChallengeAnswered = "challenge.answered" v 1,
}

/// See [`Event::ChallengeIssued`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChallengeIssued {
    pub challenge: ChallengeId,
    pub user: UserId,
    /// The user's credential epoch; a newer one kills the question.
    pub epoch: u32,
    /// How the first factor was proved.
    pub method: SignInMethod,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`Event::ChallengeFailed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChallengeFailed {
    pub user: UserId,
    pub at: Timestamp,
}

/// See [`Event::ChallengeAnswered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChallengeAnswered {
    pub user: UserId,
    pub at: Timestamp,
}

/// What the rules of a question refuse. One answer for all: begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Never issued, answered, expired, or answered wrongly too often.
    #[error("the challenge is not open")]
    NotOpen,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Challenge {
    pub issued: Option<ChallengeIssued>,
    pub failures: u32,
    pub is_answered: bool,
}

impl Aggregate for Challenge {
    type Id = ChallengeId;
    type Event = Event;
    const CATEGORY: &'static str = "challenge";

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::ChallengeIssued(it) => self.issued = Some(it.clone()),
            Event::ChallengeFailed(_) => self.failures += 1,
            Event::ChallengeAnswered(_) => self.is_answered = true,
        }
        self
    }
}

impl Challenge {
    /// The question, while it may be answered.
    pub fn require_open(&self, at: Timestamp) -> Result<&ChallengeIssued, Rejection> {
        let issued = self.issued.as_ref().ok_or(Rejection::NotOpen)?;
        let is_dead = self.is_answered || self.failures >= ATTEMPTS_MAX || at >= issued.expires_at;
        if is_dead { Err(Rejection::NotOpen) } else { Ok(issued) }
    }
}

/// Asks the question, under a fresh id.
pub fn issue(state: &Challenge, wish: ChallengeIssued) -> Result<Vec<Event>, Rejection> {
    if *state != Challenge::default() {
        return Err(Rejection::NotOpen);
    }
    Ok(vec![wish.into()])
}

/// Counts a wrong answer.
pub fn fail(state: &Challenge, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    let user = state.require_open(at)?.user;
    Ok(vec![ChallengeFailed { user, at }.into()])
}

/// Takes the right answer.
pub fn answer(state: &Challenge, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    let user = state.require_open(at)?.user;
    Ok(vec![ChallengeAnswered { user, at }.into()])
}

/// Uses up a ceremony that has no event before this one.
pub fn use_once(state: &Challenge, user: UserId, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    if *state != Challenge::default() {
        return Err(Rejection::NotOpen);
    }
    Ok(vec![ChallengeAnswered { user, at }.into()])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::given;

    const ANN: UserId = UserId::new(1);

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(seconds)
    }

    fn issued() -> ChallengeIssued {
        ChallengeIssued {
            challenge: ChallengeId::new(Uuid::from_u128(1)),
            user: ANN,
            epoch: 0,
            method: SignInMethod::Password,
            expires_at: at(300),
            at: at(0),
        }
    }

    fn failed(seconds: u32) -> Event {
        ChallengeFailed { user: ANN, at: at(seconds) }.into()
    }

    fn answered(seconds: u32) -> Event {
        ChallengeAnswered { user: ANN, at: at(seconds) }.into()
    }

    #[test]
    fn a_question_is_answered_once_and_in_time() {
        let asked: Event = issued().into();
        given::<Challenge>([asked.clone()]).when(|it| answer(it, at(299))).then([answered(299)]);
        for (past, seconds) in
            [(vec![asked.clone()], 300), (vec![asked, answered(1)], 2), (vec![], 1)]
        {
            given::<Challenge>(past)
                .when(|it| answer(it, at(seconds)))
                .then_rejected(Rejection::NotOpen);
        }
    }

    #[test]
    fn the_fifth_wrong_answer_is_the_last_that_is_heard() {
        let past = |n| std::iter::once(issued().into()).chain((0..n).map(failed));
        given::<Challenge>(past(4)).when(|it| fail(it, at(9))).then([failed(9)]);
        given::<Challenge>(past(4)).when(|it| answer(it, at(9))).then([answered(9)]);
        given::<Challenge>(past(5)).when(|it| fail(it, at(9))).then_rejected(Rejection::NotOpen);
        given::<Challenge>(past(5)).when(|it| answer(it, at(9))).then_rejected(Rejection::NotOpen);
    }

    #[test]
    fn an_id_is_asked_or_used_once() {
        given::<Challenge>([]).when(|it| issue(it, issued())).then([issued()]);
        given::<Challenge>([issued().into()])
            .when(|it| issue(it, issued()))
            .then_rejected(Rejection::NotOpen);
        given::<Challenge>([]).when(|it| use_once(it, ANN, at(1))).then([answered(1)]);
        given::<Challenge>([answered(1)])
            .when(|it| use_once(it, ANN, at(2)))
            .then_rejected(Rejection::NotOpen);
        given::<Challenge>([issued().into()])
            .when(|it| use_once(it, ANN, at(2)))
            .then_rejected(Rejection::NotOpen);
    }
}
