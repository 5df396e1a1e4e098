//! Change first and last name.

use super::{Event, ProfileUpdated, Rejection, User};
use crate::Sealed;

/// The wish: these names from now on.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateProfile {
    pub first_name: Sealed,
    pub last_name: Sealed,
    /// Whether both are what they were; only whoever can open them knows.
    pub is_unchanged: bool,
}

/// Names belong to active accounts.
pub fn decide(state: &User, wish: UpdateProfile) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let UpdateProfile { first_name, last_name, is_unchanged } = wish;
    if is_unchanged {
        return Ok(Vec::new());
    }
    Ok(vec![ProfileUpdated { first_name, last_name }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, registered, sealed};

    fn wish(is_unchanged: bool) -> UpdateProfile {
        UpdateProfile { first_name: sealed("Anna"), last_name: sealed("A"), is_unchanged }
    }

    #[test]
    fn a_person_changes_names() {
        let event = ProfileUpdated { first_name: sealed("Anna"), last_name: sealed("A") };
        let past = [registered(), activated()];
        given::<User>(past.clone()).when(|state| decide(state, wish(false))).then([event]);
        given::<User>(past).when(|state| decide(state, wish(true))).then_nothing();
    }

    #[test]
    fn an_inactive_account_changes_nothing() {
        given::<User>([registered()])
            .when(|state| decide(state, wish(false)))
            .then_rejected(Rejection::Inactive);
    }
}
