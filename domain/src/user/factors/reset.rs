//! Take every factor and the recovery codes away from somebody who lost them all: for the operator of the instance. Every
//! session ends, since nobody knows who holds the lost factor now.

use super::FactorsReset;
use crate::Timestamp;
use crate::user::{Event, Rejection, Standing, User};

/// Resets what is there; an account without factors stays as it is.
pub fn decide(state: &User, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    match state.standing {
        Standing::Absent => Err(Rejection::Absent),
        Standing::Erased => Err(Rejection::Erased),
        Standing::Inactive | Standing::Active | Standing::Deactivated => {
            if !state.factors.is_on() {
                return Ok(Vec::new());
            }
            let count = u8::try_from(state.factors.count()).unwrap_or(u8::MAX);
            Ok(vec![FactorsReset { count, epoch: state.epoch + 1, at }.into()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{app_enrolled, codes_made, key_enrolled};
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};
    use crate::{Aggregate, SessionId};

    #[test]
    fn all_factors_and_sessions_go_at_once_and_only_once() {
        let past = [registered(), activated(), app_enrolled(), codes_made(), key_enrolled()];
        let reset = FactorsReset { count: 2, epoch: 1, at: at(30) };
        given::<User>(past.clone()).when(|it| decide(it, at(30))).then([reset.clone()]);
        let past = [&past[..], &[reset.into()]].concat();
        let user = past.iter().fold(User::default(), User::evolve);
        assert_eq!(user.factors, super::super::Factors::default());
        assert!(!user.honours(SessionId::new(uuid::Uuid::from_u128(1)), 0));
        given::<User>(past).when(|it| decide(it, at(31))).then_nothing();
    }

    #[test]
    fn nobody_and_somebody_without_factors() {
        given::<User>([]).when(|it| decide(it, at(1))).then_rejected(Rejection::Absent);
        given::<User>([registered(), activated()]).when(|it| decide(it, at(1))).then_nothing();
    }
}
