//! A token of another issuer, exchanged for an access token of ours: once, so a copy of it is worth nothing.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, ExchangeId, OrganizationId, Sealed, Timestamp, TokenId};

events! {
    /// A service signed in with a token of a trusted issuer.
    TokenExchanged = "exchange.token_exchanged" v 1,
}

/// See [`Event::TokenExchanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenExchanged {
    pub organization: OrganizationId,
    /// The rule that allowed it.
    pub trust: TokenId,
    /// Who the issuer says it is: the claim `sub`.
    pub subject: Sealed,
    /// Of the access token that was given.
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// What the rules of an exchange refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such rule, or the claims do not satisfy it.
    #[error("no rule of the organization allows this token")]
    NotTrusted,
    /// One token, one exchange.
    #[error("this token was exchanged before")]
    Replayed,
}

/// The one use of one token.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Exchange {
    pub is_used: bool,
}

impl Aggregate for Exchange {
    type Id = ExchangeId;
    type Event = Event;
    const CATEGORY: &'static str = "exchange";

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::TokenExchanged(_) => Self { is_used: true },
        }
    }
}

/// The first use wins.
pub fn decide(state: &Exchange, wish: TokenExchanged) -> Result<Vec<Event>, Rejection> {
    if state.is_used { Err(Rejection::Replayed) } else { Ok(vec![wish.into()]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    #[test]
    fn a_token_is_exchanged_once() {
        let wish = TokenExchanged {
            organization: OrganizationId::new(1),
            trust: TokenId::new(2),
            subject: Sealed::from_bytes(b"repo:acme/shop".to_vec()),
            expires_at: Timestamp::from_micros(2),
            at: Timestamp::from_micros(1),
        };
        given::<Exchange>([]).when(|state| decide(state, wish.clone())).then([wish.clone()]);
        given::<Exchange>([wish.clone().into()])
            .when(|state| decide(state, wish.clone()))
            .then_rejected(Rejection::Replayed);
    }
}
