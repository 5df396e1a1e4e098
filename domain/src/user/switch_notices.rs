//! Turn the mail notices on or off that are not about security.

use super::{Event, NoticesSwitched, Rejection, User};

/// Switches, if that changes anything.
pub fn decide(state: &User, wanted: bool) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if state.refuses_notices != wanted {
        return Ok(Vec::new());
    }
    Ok(vec![NoticesSwitched { wanted }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, registered};

    #[test]
    fn notices_are_wanted_until_they_are_switched_off() {
        let past = [registered(), activated()];
        let off = NoticesSwitched { wanted: false };
        given::<User>(past.clone()).when(|state| decide(state, true)).then_nothing();
        given::<User>(past.clone()).when(|state| decide(state, false)).then([off.clone()]);
        let past = [past.as_slice(), &[off.into()]].concat();
        given::<User>(past)
            .when(|state| decide(state, true))
            .then([NoticesSwitched { wanted: true }]);
    }

    #[test]
    fn an_inactive_account_has_nothing_to_switch() {
        given::<User>([registered()])
            .when(|state| decide(state, false))
            .then_rejected(Rejection::Inactive);
    }
}
