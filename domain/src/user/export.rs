//! Take away a copy of everything that is kept about oneself.

use super::{DataExported, Event, Rejection, User};
use crate::Timestamp;

/// Fields of an account's events that are sealed under the person's key and told to the person.
pub const PERSONAL: [&str; 10] = [
    "address",
    "avatar_url",
    "email",
    "first_name",
    "last_name",
    "name",
    "previous",
    "ranges",
    "subject",
    "username",
];
/// Fields that are told as they are stored: numbers, times, kinds, scopes.
pub const PLAIN: [&str; 22] = [
    "at",
    "count",
    "counter",
    "epoch",
    "expires_at",
    "factor",
    "identity",
    "is_first",
    "is_two_factor",
    "kept",
    "kind",
    "left",
    "provider",
    "scope",
    "session",
    "side",
    "slot",
    "step",
    "token",
    "undo_until",
    "user",
    "wanted",
];
/// Fields that nobody is told: secrets, and what is derived from them. So is whatever is in none of the three lists.
pub const WITHHELD: [&str; 11] = [
    "claim",
    "credential",
    "digest",
    "digests",
    "farewell",
    "new_nonce",
    "nonce",
    "old_nonce",
    "password",
    "secret",
    "undo_nonce",
];

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
