//! Ask for a new activation link; older ones are dead.

use super::{ActivationRequested, Event, LinkLimits, Standing, User, is_recent};
use crate::limits::{Quota, is_full};
use crate::{LinkNonce, Timestamp};

/// The wish: another link.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ResendActivation {
    pub nonce: LinkNonce,
    pub limits: LinkLimits,
    /// Mails that an address gets at most, in the short and in the long run.
    pub quotas: [Quota; 2],
    pub at: Timestamp,
}

/// Never refuses, since the caller must not learn whether there is an account.
pub fn decide(state: &User, wish: ResendActivation) -> Vec<Event> {
    let ResendActivation { nonce, limits, quotas, at } = wish;
    let is_waiting = state.standing == Standing::Inactive;
    let is_too_often = is_recent(state.activation_requested_at, at, limits.activation_interval)
        || is_full(&state.activation_times, &quotas, at);
    if !is_waiting || is_too_often {
        return Vec::new();
    }
    vec![ActivationRequested { nonce, expires_at: at + limits.activation, at }.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::Rejection;
    use crate::user::samples::{activated, at, registered};

    const QUOTAS: [Quota; 2] = [Quota::new(3, 3_600), Quota::new(10, 86_400)];

    fn resend(state: &User, seconds: u32) -> Result<Vec<Event>, Rejection> {
        Ok(decide(
            state,
            ResendActivation {
                nonce: LinkNonce::new(2),
                limits: LinkLimits::default(),
                quotas: QUOTAS,
                at: at(seconds),
            },
        ))
    }

    fn linked(seconds: u32) -> Event {
        let expires_at = at(seconds + 24 * 3_600);
        ActivationRequested { nonce: LinkNonce::new(2), expires_at, at: at(seconds) }.into()
    }

    #[test]
    fn a_waiting_account_gets_another_link_once_a_minute() {
        given::<User>([registered()]).when(|state| resend(state, 1)).then([linked(1)]);
        given::<User>([registered(), linked(1)]).when(|state| resend(state, 60)).then_nothing();
        given::<User>([registered(), linked(1)]).when(|state| resend(state, 61)).then([linked(61)]);
    }

    #[test]
    fn nobody_else_gets_one() {
        given::<User>([]).when(|state| resend(state, 1)).then_nothing();
        given::<User>([registered(), activated()]).when(|state| resend(state, 1)).then_nothing();
    }
}
