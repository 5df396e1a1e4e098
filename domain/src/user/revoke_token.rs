//! End a personal token.

use super::{Event, Rejection, TokenRevoked, User};
use crate::TokenId;

/// Ends it; one that has ended or was never there is absent.
pub fn decide(state: &User, token: TokenId) -> Result<Vec<Event>, Rejection> {
    if !state.tokens.contains_key(&token) {
        return Err(Rejection::TokenUnknown);
    }
    Ok(vec![TokenRevoked { token }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, registered, token};

    #[test]
    fn a_token_is_revoked_once() {
        let past = [registered(), activated(), token(1, 2, 100).into()];
        let revoked = TokenRevoked { token: TokenId::new(1) };
        given::<User>(past.clone())
            .when(|state| decide(state, TokenId::new(1)))
            .then([revoked.clone()]);
        for (id, more) in [(1, vec![revoked.into()]), (2, vec![])] {
            given::<User>(past.iter().cloned().chain(more))
                .when(|state| decide(state, TokenId::new(id)))
                .then_rejected(Rejection::TokenUnknown);
        }
    }
}
