//! Add a factor. The first one brings the recovery codes along.

use super::{FACTORS_MAX, PasskeyEnrolled, RECOVERY_CODES, RecoveryCodesMade, TotpEnrolled};
use crate::user::{Event, Rejection, User};
use crate::{FactorId, Sealed, Timestamp};

/// What is added, proved to work.
#[derive(Clone, Debug)]
pub enum Enrol {
    /// An authenticator app whose code was right.
    Totp(TotpEnrolled),
    /// A passkey that signed the challenge.
    Passkey(PasskeyEnrolled),
}

/// Adds it, with `digests` of new recovery codes if there are none yet.
pub fn decide(state: &User, wish: Enrol, digests: Sealed) -> Result<Vec<Event>, Rejection> {
    let (factor, at, enrolled): (FactorId, Timestamp, Event) = match wish {
        Enrol::Totp(it) => (it.factor, it.at, it.into()),
        Enrol::Passkey(it) => (it.factor, it.at, it.into()),
    };
    state.require_active()?;
    let factors = &state.factors;
    if factors.totps.contains_key(&factor) || factors.passkeys.contains_key(&factor) {
        return Err(Rejection::ChallengeInvalid);
    }
    if factors.count() >= FACTORS_MAX {
        return Err(Rejection::TooManyFactors);
    }
    let mut events = vec![enrolled];
    if factors.recovery.is_none() {
        events.push(made(digests, at));
    }
    Ok(events)
}

/// New recovery codes; the old ones are dead.
pub fn make_codes(state: &User, digests: Sealed, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if !state.factors.is_on() {
        return Err(Rejection::NoFactor);
    }
    Ok(vec![made(digests, at)])
}

fn made(digests: Sealed, at: Timestamp) -> Event {
    RecoveryCodesMade { digests, count: RECOVERY_CODES, at }.into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::samples::{app_enrolled, codes_made, key_enrolled};
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered, sealed};

    fn app(event: Event) -> Enrol {
        let Event::TotpEnrolled(it) = event else { panic!("not an app") };
        Enrol::Totp(it)
    }

    #[test]
    fn the_first_factor_brings_the_codes_and_the_second_does_not() {
        let past = [registered(), activated()];
        given::<User>(past.clone())
            .when(|it| decide(it, app(app_enrolled()), sealed("digests")))
            .then([app_enrolled(), codes_made()]);
        let Event::PasskeyEnrolled(key) = key_enrolled() else { panic!("not a key") };
        given::<User>(past.into_iter().chain([app_enrolled(), codes_made()]))
            .when(|it| decide(it, Enrol::Passkey(key), sealed("others")))
            .then([key_enrolled()]);
    }

    #[test]
    fn nobody_inactive_twice_or_without_end() {
        given::<User>([registered()])
            .when(|it| decide(it, app(app_enrolled()), sealed("digests")))
            .then_rejected(Rejection::Inactive);
        let past = [registered(), activated(), app_enrolled()];
        given::<User>(past)
            .when(|it| decide(it, app(app_enrolled()), sealed("digests")))
            .then_rejected(Rejection::ChallengeInvalid);
        let many = (0..FACTORS_MAX as u128).map(|n| {
            let Event::TotpEnrolled(it) = app_enrolled() else { panic!("not an app") };
            TotpEnrolled { factor: FactorId::new(Uuid::from_u128(n + 100)), ..it }.into()
        });
        given::<User>([registered(), activated()].into_iter().chain(many))
            .when(|it| decide(it, app(app_enrolled()), sealed("digests")))
            .then_rejected(Rejection::TooManyFactors);
    }

    #[test]
    fn codes_are_for_those_who_can_lose_a_factor() {
        let codes = |it: &User| make_codes(it, sealed("digests"), at(10));
        given::<User>([registered(), activated()]).when(codes).then_rejected(Rejection::NoFactor);
        given::<User>([registered(), activated(), app_enrolled(), codes_made()])
            .when(codes)
            .then([codes_made()]);
    }
}
