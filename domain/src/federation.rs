//! One trip to an identity provider and back: its answer counts once, and so does the code that it earned.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, FederationId, ProviderName, Timestamp, UserId};

events! {
    /// The provider's answer came back with this trip's `state`.
    ProviderAnswered = "federation.answered" v 1,
    /// What the provider proved was used: for a sign-in, a registration or a link.
    ProofUsed = "federation.proof_used" v 1,
}

/// See [`Event::ProviderAnswered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProviderAnswered {
    pub provider: ProviderName,
    pub at: Timestamp,
}

/// See [`Event::ProofUsed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProofUsed {
    pub provider: ProviderName,
    /// Whose sign-in it became.
    pub user: UserId,
    pub used_for: Use,
    pub at: Timestamp,
}

/// What a proof was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Into an account that knows the identity.
    SignIn,
    /// A new account.
    Registration,
    /// One more way into an account.
    Link,
}

/// Why a trip goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The answer was heard before.
    #[error("this answer was used before")]
    AnswerUsed,
    /// The proof was used before.
    #[error("this code was used before")]
    ProofUsed,
    /// The provider has not verified the address, or told none.
    #[error("the provider has not verified your address")]
    AddressUnverified,
    /// An account has the address, and only its owner can say that the identity belongs to it.
    #[error("an account with this address exists; sign in to it and link the provider there")]
    LinkRequired,
    /// Another account has the identity.
    #[error("this identity belongs to another account")]
    IdentityTaken,
}

/// The state that rules read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Federation {
    pub is_answered: bool,
    pub is_used: bool,
}

impl Aggregate for Federation {
    type Id = FederationId;
    type Event = Event;
    const CATEGORY: &'static str = "federation";

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::ProviderAnswered(_) => self.is_answered = true,
            Event::ProofUsed(_) => self.is_used = true,
        }
        self
    }
}

/// Hears the provider's answer, once.
pub fn answer(state: &Federation, event: ProviderAnswered) -> Result<Vec<Event>, Rejection> {
    if state.is_answered {
        return Err(Rejection::AnswerUsed);
    }
    Ok(vec![event.into()])
}

/// Uses what was proved, once.
pub fn use_proof(state: &Federation, event: ProofUsed) -> Result<Vec<Event>, Rejection> {
    if state.is_used {
        return Err(Rejection::ProofUsed);
    }
    Ok(vec![event.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lifetime;
    use crate::testing::given;

    fn at() -> Timestamp {
        Timestamp::from_micros(0) + Lifetime::from_secs(1)
    }

    fn google() -> ProviderName {
        ProviderName::parse("google").unwrap()
    }

    #[test]
    fn an_answer_counts_once() {
        let event = ProviderAnswered { provider: google(), at: at() };
        given::<Federation>([]).when(|it| answer(it, event.clone())).then([event.clone()]);
        given::<Federation>([event.clone().into()])
            .when(|it| answer(it, event))
            .then_rejected(Rejection::AnswerUsed);
    }

    #[test]
    fn a_proof_is_used_once() {
        let user = UserId::new(1);
        let event = ProofUsed { provider: google(), user, used_for: Use::SignIn, at: at() };
        given::<Federation>([]).when(|it| use_proof(it, event.clone())).then([event.clone()]);
        given::<Federation>([event.clone().into()])
            .when(|it| use_proof(it, event))
            .then_rejected(Rejection::ProofUsed);
    }
}
