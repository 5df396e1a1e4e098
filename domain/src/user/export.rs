//! Take away a copy of everything that is kept about oneself.

use super::{DataExported, Event, Rejection, User};
use crate::Timestamp;

/// Every copy is recorded.
pub fn decide(state: &User, at: Timestamp) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    Ok(vec![DataExported { at }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};

    #[test]
    fn every_copy_of_an_active_account_is_recorded() {
        let export = |state: &User| decide(state, at(5));
        given::<User>([registered()]).when(export).then_rejected(Rejection::Inactive);
        given::<User>([registered(), activated()]).when(export).then([DataExported { at: at(5) }]);
    }
}
