//! Make a token that acts as its owner, within a scope.

use super::{Event, Rejection, TokenCreated, User};

/// Makes it, unless the account has as many living ones as it may.
pub fn decide(
    state: &User,
    wish: TokenCreated,
    tokens_max: usize,
) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let living = state.tokens.values().filter(|known| known.expires_at > wish.at).count();
    if living >= tokens_max {
        return Err(Rejection::TooManyTokens);
    }
    Ok(vec![wish.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered, sealed, token};
    use crate::user::{PasswordReset, TokenRevoked, UserDeactivated, UserReactivated};
    use crate::{Aggregate, TokenId};

    #[test]
    fn living_tokens_are_counted_and_expired_ones_are_not() {
        let past = [registered(), activated(), token(1, 2, 100).into(), token(2, 3, 200).into()];
        let decide = |wish: TokenCreated| move |state: &User| decide(state, wish, 2);
        given::<User>(past.clone())
            .when(decide(token(3, 99, 300)))
            .then_rejected(Rejection::TooManyTokens);
        given::<User>(past.clone()).when(decide(token(3, 100, 300))).then([token(3, 100, 300)]);
        let revoked = TokenRevoked { token: TokenId::new(1) }.into();
        let past = [past.as_slice(), &[revoked]].concat();
        given::<User>(past).when(decide(token(3, 99, 300))).then([token(3, 99, 300)]);
    }

    #[test]
    fn only_an_active_account_makes_tokens() {
        for (past, why) in [
            (vec![registered()], Rejection::Inactive),
            (
                vec![registered(), activated(), UserDeactivated { epoch: 1 }.into()],
                Rejection::Deactivated,
            ),
        ] {
            given::<User>(past).when(|state| decide(state, token(1, 2, 9), 2)).then_rejected(why);
        }
    }

    #[test]
    fn closing_the_account_or_resetting_its_password_ends_its_tokens_for_good() {
        let reset = PasswordReset { password: sealed("new"), epoch: 1, at: at(5) }.into();
        let closed = [UserDeactivated { epoch: 1 }.into(), UserReactivated {}.into()];
        for end in [vec![reset], closed.to_vec()] {
            let past = [registered(), activated(), token(1, 2, 100).into()].into_iter().chain(end);
            let state = past.fold(User::default(), |state, event| state.evolve(&event));
            assert!(state.tokens.is_empty());
        }
    }
}
