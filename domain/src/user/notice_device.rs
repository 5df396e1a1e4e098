//! A sign-in from a network that the account was not used from lately. The owner is told, but not of the first one ever.

use serde::{Deserialize, Serialize};

use super::{Event, User};
use crate::{SessionId, Timestamp};

/// See [`super::Event::NewDeviceNoticed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NewDeviceNoticed {
    pub session: SessionId,
    /// Whether the account was never signed in to before.
    pub is_first: bool,
    pub at: Timestamp,
}

/// Notes the sign-in; the first ever is marked.
pub fn decide(state: &User, session: SessionId, at: Timestamp) -> Vec<Event> {
    vec![NewDeviceNoticed { session, is_first: !state.has_signed_in, at }.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::Rejection;
    use crate::user::samples::{activated, at, registered};

    #[test]
    fn the_first_one_is_marked() {
        let session = SessionId::new(uuid::Uuid::from_u128(1));
        let notice = |state: &User| Ok::<_, Rejection>(decide(state, session, at(5)));
        let noticed = |is_first| NewDeviceNoticed { session, is_first, at: at(5) };
        given::<User>([registered(), activated()]).when(notice).then([noticed(true)]);
        given::<User>([registered(), activated(), noticed(true).into()])
            .when(notice)
            .then([noticed(false)]);
    }
}
