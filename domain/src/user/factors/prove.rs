//! Use a factor: every code once, every signature counter upwards.

use super::{PasskeyUsed, RecoveryCodeUsed, TotpUsed};
use crate::user::{Event, Rejection, User};
use crate::{FactorId, Timestamp};

/// What was found right, by whoever could open the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum Proved {
    /// A code of this time step.
    Totp { factor: FactorId, step: u64 },
    /// A signature with this counter.
    Passkey { factor: FactorId, counter: u32 },
    /// The recovery code of this line.
    RecoveryCode { slot: u8 },
}

/// Uses it up; refused as if it were wrong when it was used before.
pub fn decide(state: &User, proved: Proved, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let factors = &state.factors;
    let used: Event = match proved {
        Proved::Totp { factor, step } => {
            let totp = factors.totps.get(&factor).ok_or(Rejection::CodeWrong)?;
            if step <= totp.used_step {
                return Err(Rejection::CodeWrong);
            }
            TotpUsed { factor, step, at }.into()
        }
        Proved::Passkey { factor, counter } => {
            let passkey = factors.passkeys.get(&factor).ok_or(Rejection::PasskeyWrong)?;
            let counts = counter > 0 || passkey.counter > 0;
            if counts && counter <= passkey.counter {
                return Err(Rejection::PasskeyWrong);
            }
            PasskeyUsed { factor, counter, at }.into()
        }
        Proved::RecoveryCode { slot } => {
            let codes = factors.recovery.as_ref().ok_or(Rejection::CodeWrong)?;
            if !codes.is_open(slot) {
                return Err(Rejection::CodeWrong);
            }
            RecoveryCodeUsed { slot, left: codes.left() - 1, at }.into()
        }
    };
    Ok(vec![used])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{APP, KEY, app_enrolled, codes_made, key_enrolled};
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};

    fn all() -> Vec<Event> {
        vec![registered(), activated(), app_enrolled(), codes_made(), key_enrolled()]
    }

    fn when(past: Vec<Event>, proved: Proved) -> crate::testing::Decided<Event, Rejection> {
        given::<User>(past).when(move |it| decide(it, proved, at(20)))
    }

    #[test]
    fn a_time_step_is_used_once_and_never_an_earlier_one() {
        let step = |step| Proved::Totp { factor: APP, step };
        when(all(), step(10)).then_rejected(Rejection::CodeWrong);
        when(all(), step(9)).then_rejected(Rejection::CodeWrong);
        let used: Event = TotpUsed { factor: APP, step: 11, at: at(20) }.into();
        when(all(), step(11)).then([used.clone()]);
        when([all(), vec![used]].concat(), step(11)).then_rejected(Rejection::CodeWrong);
        when(all(), Proved::Totp { factor: KEY, step: 11 }).then_rejected(Rejection::CodeWrong);
    }

    #[test]
    fn a_counter_only_rises_unless_there_is_none() {
        let key = |counter| Proved::Passkey { factor: KEY, counter };
        for old in [0, 4, 5] {
            when(all(), key(old)).then_rejected(Rejection::PasskeyWrong);
        }
        when(all(), key(6)).then([PasskeyUsed { factor: KEY, counter: 6, at: at(20) }]);
        let zero: Event = PasskeyUsed { factor: KEY, counter: 0, at: at(12) }.into();
        when([all(), vec![zero]].concat(), key(0)).then([PasskeyUsed {
            factor: KEY,
            counter: 0,
            at: at(20),
        }]);
    }

    #[test]
    fn a_recovery_code_is_good_once_and_until_new_ones_are_made() {
        let code = |slot| Proved::RecoveryCode { slot };
        let used: Event = RecoveryCodeUsed { slot: 3, left: 9, at: at(20) }.into();
        when(all(), code(3)).then([used.clone()]);
        let past = [all(), vec![used]].concat();
        when(past.clone(), code(3)).then_rejected(Rejection::CodeWrong);
        when(past.clone(), code(4)).then([RecoveryCodeUsed { slot: 4, left: 8, at: at(20) }]);
        when(all(), code(10)).then_rejected(Rejection::CodeWrong);
        when([past, vec![codes_made()]].concat(), code(3)).then([RecoveryCodeUsed {
            slot: 3,
            left: 9,
            at: at(20),
        }]);
    }
}
