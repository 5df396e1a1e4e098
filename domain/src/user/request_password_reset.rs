//! Ask for a link that sets a new password; older ones are dead.

use super::{Event, LinkLimits, PasswordResetRequested, Standing, User, is_recent};
use crate::limits::{Quota, is_full};
use crate::{LinkNonce, Timestamp};

/// The wish: a reset link.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RequestPasswordReset {
    pub nonce: LinkNonce,
    pub limits: LinkLimits,
    /// Mails that an address gets at most, in the short and in the long run.
    pub quotas: [Quota; 2],
    pub at: Timestamp,
}

/// Never refuses, since the caller must not learn whether there is an account. Only active accounts get a link.
pub fn decide(state: &User, wish: RequestPasswordReset) -> Vec<Event> {
    let RequestPasswordReset { nonce, limits, quotas, at } = wish;
    let is_active = state.standing == Standing::Active;
    let is_too_often = is_recent(state.reset_requested_at, at, limits.password_reset_interval)
        || is_full(&state.reset_times, &quotas, at);
    if !is_active || is_too_often {
        return Vec::new();
    }
    vec![PasswordResetRequested { nonce, expires_at: at + limits.password_reset, at }.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::Rejection;
    use crate::user::samples::{activated, at, registered};

    const QUOTAS: [Quota; 2] = [Quota::new(3, 3_600), Quota::new(10, 86_400)];

    fn ask(state: &User, seconds: u32) -> Result<Vec<Event>, Rejection> {
        Ok(decide(
            state,
            RequestPasswordReset {
                nonce: LinkNonce::new(2),
                limits: LinkLimits::default(),
                quotas: QUOTAS,
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

    #[test]
    fn an_address_gets_three_an_hour_and_ten_a_day() {
        let mut state = [registered(), activated()].iter().fold(User::default(), User::evolve);
        let mut hours = Vec::new();
        for minute in 0..48 * 60 {
            for event in ask(&state, minute * 60).unwrap() {
                state = state.evolve(&event);
                hours.push(minute / 60);
            }
        }
        assert_eq!(hours[..10], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(hours.iter().filter(|hour| **hour < 24).count(), 10);
        assert_eq!(hours.len(), 20, "the next day again");
    }
}
