//! Forget a person: the account stays as a number, everything that was known of it is wiped.

use super::{Event, Rejection, Standing, User, UserErased};
use crate::{Sealed, Timestamp};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Erase {
    /// The address for the last mail, under a key that lives until that mail is sent.
    pub farewell: Option<Sealed>,
    pub at: Timestamp,
}

/// For good; an account that is erased already stays so.
pub fn decide(state: &User, wish: Erase) -> Result<Vec<Event>, Rejection> {
    match state.standing {
        Standing::Absent => Err(Rejection::Absent),
        Standing::Erased => Ok(Vec::new()),
        Standing::Inactive | Standing::Active | Standing::Deactivated => {
            let Erase { farewell, at } = wish;
            Ok(vec![UserErased { epoch: state.epoch + 1, farewell, at }.into()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{ANN, activated, at, registered, sealed};
    use crate::user::{AdministratorGranted, UserDeactivated, administrator, deactivate};
    use crate::{Aggregate, SessionId};

    fn erased() -> Event {
        UserErased { epoch: 1, farewell: Some(sealed("ann@example.com")), at: at(9) }.into()
    }

    fn wish() -> Erase {
        Erase { farewell: Some(sealed("ann@example.com")), at: at(9) }
    }

    #[test]
    fn whoever_exists_is_erased_once() {
        let erase = |state: &User| decide(state, wish());
        given::<User>([]).when(erase).then_rejected(Rejection::Absent);
        given::<User>([registered()]).when(erase).then([erased()]);
        given::<User>([registered(), activated()]).when(erase).then([erased()]);
        let closed: Event = UserDeactivated { epoch: 1 }.into();
        let Erase { farewell, at } = wish();
        given::<User>([registered(), activated(), closed]).when(erase).then([UserErased {
            epoch: 2,
            farewell,
            at,
        }]);
        given::<User>([registered(), activated(), erased()]).when(erase).then_nothing();
    }

    #[test]
    fn nothing_is_left_of_an_erased_account_and_it_never_comes_back() {
        let past = [registered(), activated(), AdministratorGranted {}.into(), erased()];
        let user = past.iter().fold(User::default(), User::evolve);
        let left = User { id: Some(ANN), standing: Standing::Erased, epoch: 1, ..User::default() };
        assert_eq!(user, left);
        assert!(!user.honours(SessionId::new(uuid::Uuid::nil()), 1));
        given::<User>(past.clone()).when(deactivate::deactivate).then_rejected(Rejection::Erased);
        given::<User>(past.clone()).when(deactivate::reactivate).then_rejected(Rejection::Erased);
        given::<User>(past).when(administrator::grant).then_rejected(Rejection::Erased);
    }
}
