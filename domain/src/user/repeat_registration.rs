//! Somebody registers with an address that has an account: its owner hears of it by mail, the caller does not.

use super::{
    ActivationRequested, Event, LinkLimits, RegistrationRepeated, Standing, User, is_recent,
};
use crate::limits::{Quota, is_full};
use crate::{LinkNonce, Timestamp};

/// The wish: tell the owner.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RepeatRegistration {
    pub nonce: LinkNonce,
    pub limits: LinkLimits,
    /// Mails that an address gets at most, in the short and in the long run.
    pub quotas: [Quota; 2],
    pub at: Timestamp,
}

/// Never refuses, since the caller must not learn anything: a new link for an account that was never activated, a notice
/// for one that was.
pub fn decide(state: &User, wish: RepeatRegistration) -> Vec<Event> {
    let RepeatRegistration { nonce, limits, quotas, at } = wish;
    let is_too_often = is_recent(state.activation_requested_at, at, limits.repeated_interval)
        || is_full(&state.activation_times, &quotas, at);
    match state.standing {
        Standing::Inactive if is_too_often => Vec::new(),
        Standing::Inactive => {
            vec![ActivationRequested { nonce, expires_at: at + limits.activation, at }.into()]
        }
        Standing::Active if is_recent(state.repeated_at, at, limits.repeated_interval) => {
            Vec::new()
        }
        Standing::Active => vec![RegistrationRepeated { at }.into()],
        Standing::Absent | Standing::Deactivated | Standing::Erased => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};
    use crate::user::{Rejection, UserDeactivated};

    const QUOTAS: [Quota; 2] = [Quota::new(3, 3_600), Quota::new(10, 86_400)];

    fn repeat(state: &User, seconds: u32) -> Result<Vec<Event>, Rejection> {
        Ok(decide(
            state,
            RepeatRegistration {
                nonce: LinkNonce::new(2),
                limits: LinkLimits::default(),
                quotas: QUOTAS,
                at: at(seconds),
            },
        ))
    }

    fn told(seconds: u32) -> Event {
        RegistrationRepeated { at: at(seconds) }.into()
    }

    fn linked(seconds: u32) -> Event {
        let expires_at = at(seconds + 24 * 3_600);
        ActivationRequested { nonce: LinkNonce::new(2), expires_at, at: at(seconds) }.into()
    }

    #[test]
    fn an_owner_is_told_once_an_hour() {
        let past = [registered(), activated()];
        given::<User>(past.clone()).when(|state| repeat(state, 10)).then([told(10)]);
        let told_once = [past.as_slice(), &[told(10)]].concat();
        given::<User>(told_once.clone()).when(|state| repeat(state, 3_609)).then_nothing();
        given::<User>(told_once).when(|state| repeat(state, 3_610)).then([told(3_610)]);
    }

    #[test]
    fn an_account_that_was_never_activated_gets_a_new_link() {
        given::<User>([registered()]).when(|state| repeat(state, 10)).then([linked(10)]);
        given::<User>([registered(), linked(10)]).when(|state| repeat(state, 99)).then_nothing();
    }

    #[test]
    fn the_owner_of_a_closed_account_gets_no_mail() {
        given::<User>([registered(), activated(), UserDeactivated { epoch: 1 }.into()])
            .when(|state| repeat(state, 10))
            .then_nothing();
    }
}
