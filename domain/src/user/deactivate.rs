//! Close an account, and open it again: for administrators.

use super::{Event, Rejection, Standing, User, UserDeactivated, UserReactivated};

/// Closes the account; every session ends.
pub fn deactivate(state: &User) -> Result<Vec<Event>, Rejection> {
    match state.standing {
        Standing::Absent => Err(Rejection::Absent),
        Standing::Erased => Err(Rejection::Erased),
        Standing::Deactivated => Ok(Vec::new()),
        Standing::Inactive | Standing::Active => {
            Ok(vec![UserDeactivated { epoch: state.epoch + 1 }.into()])
        }
    }
}

/// Opens a closed account again; old sessions stay dead.
pub fn reactivate(state: &User) -> Result<Vec<Event>, Rejection> {
    match state.standing {
        Standing::Absent => Err(Rejection::Absent),
        Standing::Erased => Err(Rejection::Erased),
        Standing::Inactive | Standing::Active => Ok(Vec::new()),
        Standing::Deactivated => Ok(vec![UserReactivated {}.into()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, registered};
    use crate::{Aggregate, SessionId};

    fn closed() -> Event {
        UserDeactivated { epoch: 1 }.into()
    }

    #[test]
    fn closing_and_opening_happen_once() {
        given::<User>([]).when(deactivate).then_rejected(Rejection::Absent);
        given::<User>([registered()]).when(deactivate).then([closed()]);
        given::<User>([registered(), closed()]).when(deactivate).then_nothing();
        given::<User>([registered(), closed()]).when(reactivate).then([UserReactivated {}]);
        given::<User>([registered()]).when(reactivate).then_nothing();
    }

    #[test]
    fn old_sessions_stay_dead_after_opening() {
        let past = [registered(), activated(), closed(), UserReactivated {}.into()];
        let user = past.iter().fold(User::default(), User::evolve);
        assert_eq!(user.standing, Standing::Active);
        assert!(!user.honours(SessionId::new(uuid::Uuid::nil()), 0));
    }
}
