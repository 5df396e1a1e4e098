//! Administer the instance: given and taken by its operator.

use super::{AdministratorGranted, AdministratorRevoked, Event, Rejection, Standing, User};

/// Makes a person an administrator; only somebody who may act can become one.
pub fn grant(state: &User) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if state.is_administrator {
        return Ok(Vec::new());
    }
    Ok(vec![AdministratorGranted {}.into()])
}

/// Takes it back, also from a closed account.
pub fn revoke(state: &User) -> Result<Vec<Event>, Rejection> {
    match (state.standing, state.is_administrator) {
        (Standing::Absent, _) => Err(Rejection::Absent),
        (Standing::Erased, _) => Err(Rejection::Erased),
        (Standing::Inactive | Standing::Active | Standing::Deactivated, false) => Ok(Vec::new()),
        (Standing::Inactive | Standing::Active | Standing::Deactivated, true) => {
            Ok(vec![AdministratorRevoked {}.into()])
        }
    }
}

impl User {
    /// Refuses everybody who does not administer this instance; a closed account administers nothing.
    pub fn require_administrator(&self) -> Result<(), Rejection> {
        match (self.standing, self.is_administrator) {
            (Standing::Active, true) => Ok(()),
            (
                Standing::Absent
                | Standing::Inactive
                | Standing::Active
                | Standing::Deactivated
                | Standing::Erased,
                _,
            ) => Err(Rejection::NotAdministrator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{activated, registered};
    use crate::user::{UserDeactivated, UserReactivated};

    fn granted() -> Event {
        AdministratorGranted {}.into()
    }

    fn closed() -> Event {
        UserDeactivated { epoch: 1 }.into()
    }

    fn may(past: &[Event]) -> bool {
        past.iter().fold(User::default(), User::evolve).require_administrator().is_ok()
    }

    #[test]
    fn only_an_active_account_is_made_an_administrator_and_once() {
        given::<User>([]).when(grant).then_rejected(Rejection::Absent);
        given::<User>([registered()]).when(grant).then_rejected(Rejection::Inactive);
        let past = [registered(), activated(), closed()];
        given::<User>(past).when(grant).then_rejected(Rejection::Deactivated);
        given::<User>([registered(), activated()]).when(grant).then([AdministratorGranted {}]);
        given::<User>([registered(), activated(), granted()]).when(grant).then_nothing();
    }

    #[test]
    fn it_is_taken_back_once_also_from_a_closed_account() {
        given::<User>([]).when(revoke).then_rejected(Rejection::Absent);
        given::<User>([registered(), activated()]).when(revoke).then_nothing();
        let past = [registered(), activated(), granted()];
        given::<User>(past.clone()).when(revoke).then([AdministratorRevoked {}]);
        let past = [past.as_slice(), &[closed()]].concat();
        given::<User>(past).when(revoke).then([AdministratorRevoked {}]);
    }

    #[test]
    fn only_a_standing_administrator_may_administer() {
        let past = [registered(), activated()];
        assert!(!may(&past));
        let past = [past.as_slice(), &[granted()]].concat();
        assert!(may(&past));
        let shut = [past.as_slice(), &[closed()]].concat();
        assert!(!may(&shut));
        assert!(may(&[shut.as_slice(), &[UserReactivated {}.into()]].concat()));
        assert!(!may(&[past.as_slice(), &[AdministratorRevoked {}.into()]].concat()));
    }
}
