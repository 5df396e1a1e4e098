//! Take a factor away. With the last one the account is back at one factor, and the recovery codes are gone.

use super::FactorRemoved;
use crate::session::SecondFactor;
use crate::user::{Event, Rejection, User, WorkingWaysIn};
use crate::{FactorId, Timestamp};

/// Removes what is there, unless nobody could sign in any more.
pub fn decide(
    state: &User,
    factor: FactorId,
    working: &WorkingWaysIn,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let factors = &state.factors;
    let kind = if factors.totps.contains_key(&factor) {
        SecondFactor::Totp
    } else if factors.passkeys.contains_key(&factor) {
        SecondFactor::Passkey
    } else {
        return Err(Rejection::FactorAbsent);
    };
    // An app proves nothing by itself; a passkey may be all that somebody has.
    let goes = usize::from(working.passkeys);
    if kind == SecondFactor::Passkey && state.ways_in(working) <= goes {
        return Err(Rejection::LastWayIn);
    }
    let left = u8::try_from(factors.count() - 1).unwrap_or(u8::MAX);
    Ok(vec![FactorRemoved { factor, kind, left, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{APP, KEY, app_enrolled, codes_made, key_enrolled};
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{activated, at, identity, linked, registered, registered_elsewhere};

    const ON: WorkingWaysIn = WorkingWaysIn { identities: Vec::new(), passkeys: true };

    #[test]
    fn what_is_there_goes_and_the_codes_go_with_the_last() {
        let past = [registered(), activated(), app_enrolled(), codes_made(), key_enrolled()];
        let removed = |factor, kind, left| FactorRemoved { factor, kind, left, at: at(20) };
        let first = removed(APP, SecondFactor::Totp, 1);
        given::<User>(past.clone()).when(|it| decide(it, APP, &ON, at(20))).then([first.clone()]);
        let past = [&past[..], &[first.into()]].concat();
        let user = past.iter().fold(User::default(), User::evolve);
        assert!(user.factors.is_on() && user.factors.recovery.is_some());
        let last = removed(KEY, SecondFactor::Passkey, 0);
        given::<User>(past.clone()).when(|it| decide(it, KEY, &ON, at(20))).then([last.clone()]);
        let user = user.evolve(&last.into());
        assert!(!user.factors.is_on() && user.factors.recovery.is_none());
        given::<User>(past)
            .when(|it| decide(it, APP, &ON, at(20)))
            .then_rejected(Rejection::FactorAbsent);
    }

    #[test]
    fn a_passkey_that_is_the_last_way_in_stays_and_an_app_goes() {
        let past = [registered_elsewhere(), activated(), app_enrolled(), key_enrolled()];
        let past = [&past[..], &[linked("google", 1)]].concat();
        let refused = Rejection::LastWayIn;
        given::<User>(past.clone()).when(|it| decide(it, KEY, &ON, at(20))).then_rejected(refused);
        let removed = |factor, kind| FactorRemoved { factor, kind, left: 1, at: at(20) };
        given::<User>(past.clone())
            .when(|it| decide(it, APP, &ON, at(20)))
            .then([removed(APP, SecondFactor::Totp)]);
        let works = WorkingWaysIn { identities: vec![identity(1)], passkeys: true };
        given::<User>(past)
            .when(|it| decide(it, KEY, &works, at(20)))
            .then([removed(KEY, SecondFactor::Passkey)]);
    }

    #[test]
    fn activation_keeps_only_the_password() {
        let past = [registered(), app_enrolled(), codes_made(), activated()];
        let user = past.iter().fold(User::default(), User::evolve);
        assert_eq!(user.factors, super::super::Factors::default());
    }
}
