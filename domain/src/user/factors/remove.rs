//! Take a factor away. With the last one the account is back at one factor, and the recovery codes are gone.

use super::FactorRemoved;
use crate::session::SecondFactor;
use crate::user::{Event, Rejection, User};
use crate::{FactorId, Timestamp};

/// Removes what is there.
pub fn decide(state: &User, factor: FactorId, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    let factors = &state.factors;
    let kind = if factors.totps.contains_key(&factor) {
        SecondFactor::Totp
    } else if factors.passkeys.contains_key(&factor) {
        SecondFactor::Passkey
    } else {
        return Err(Rejection::FactorAbsent);
    };
    let left = u8::try_from(factors.count() - 1).unwrap_or(u8::MAX);
    Ok(vec![FactorRemoved { factor, kind, left, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{APP, KEY, app_enrolled, codes_made, key_enrolled};
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};

    #[test]
    fn what_is_there_goes_and_the_codes_go_with_the_last() {
        let past = [registered(), activated(), app_enrolled(), codes_made(), key_enrolled()];
        let removed = |factor, kind, left| FactorRemoved { factor, kind, left, at: at(20) };
        let first = removed(APP, SecondFactor::Totp, 1);
        given::<User>(past.clone()).when(|it| decide(it, APP, at(20))).then([first.clone()]);
        let past = [&past[..], &[first.into()]].concat();
        let user = past.iter().fold(User::default(), User::evolve);
        assert!(user.factors.is_on() && user.factors.recovery.is_some());
        let last = removed(KEY, SecondFactor::Passkey, 0);
        given::<User>(past.clone()).when(|it| decide(it, KEY, at(20))).then([last.clone()]);
        let user = user.evolve(&last.into());
        assert!(!user.factors.is_on() && user.factors.recovery.is_none());
        given::<User>(past)
            .when(|it| decide(it, APP, at(20)))
            .then_rejected(Rejection::FactorAbsent);
    }

    #[test]
    fn activation_keeps_only_the_password() {
        let past = [registered(), app_enrolled(), codes_made(), activated()];
        let user = past.iter().fold(User::default(), User::evolve);
        assert_eq!(user.factors, super::super::Factors::default());
    }
}
