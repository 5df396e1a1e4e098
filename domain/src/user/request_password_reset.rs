//! Ask for a link that sets a new password; older ones are dead.

use super::{Event, LinkLimits, PasswordResetRequested, Standing, User, is_recent};
use crate::{LinkNonce, Timestamp};

/// The wish: a reset link.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RequestPasswordReset {
    pub nonce: LinkNonce,
    pub limits: LinkLimits,
    pub at: Timestamp,
}

/// Never refuses, since the caller must not learn whether there is an account. Only active accounts get a link.
pub fn decide(state: &User, wish: RequestPasswordReset) -> Vec<Event> {
    let RequestPasswordReset { nonce, limits, at } = wish;
    let is_active = state.standing == Standing::Active;
    if !is_active || is_recent(state.reset_requested_at, at, limits.password_reset_interval) {
        return Vec::new();
    }
    vec![PasswordResetRequested { nonce, expires_at: at + limits.password_reset, at }.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::Rejection;
    use crate::user::samples::{activated, at, registered};

    fn ask(state: &User, seconds: u32) -> Result<Vec<Event>, Rejection> {
        Ok(decide(
            state,
            RequestPasswordReset {
                nonce: LinkNonce::new(2),
                limits: LinkLimits::default(),
                at: at(seconds),
            },
        ))
    }

    fn asked(seconds: u32) -> Event {
        let expires_at = at(seconds + 1_800);
        PasswordResetRequested { nonce: LinkNonce::new(2), expires_at, at: at(seconds) }.into()
    }

    #[test]
    fn an_active_account_gets_a_link_once_a_minute() {
        let past = [registered(), activated()];
        given::<User>(past.clone()).when(|state| ask(state, 2)).then([asked(2)]);
        let past = [past.as_slice(), &[asked(2)]].concat();
        given::<User>(past.clone()).when(|state| ask(state, 61)).then_nothing();
        given::<User>(past).when(|state| ask(state, 62)).then([asked(62)]);
    }

    #[test]
    fn nobody_else_gets_one() {
        given::<User>([]).when(|state| ask(state, 1)).then_nothing();
        given::<User>([registered()]).when(|state| ask(state, 1)).then_nothing();
    }
}
