//! Sign out everywhere else.

use serde::{Deserialize, Serialize};

use super::{Event, Rejection, User};
use crate::{SessionId, Timestamp};

/// See [`super::Event::OtherSessionsEnded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OtherSessionsEnded {
    /// The session that stays.
    pub kept: Option<SessionId>,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// Ends every session but one, by the credential epoch: one event however many there are.
pub fn decide(
    state: &User,
    kept: Option<SessionId>,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    Ok(vec![OtherSessionsEnded { kept, epoch: state.epoch + 1, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered};

    const LAPTOP: SessionId = SessionId::new(uuid::Uuid::from_u128(1));
    const PHONE: SessionId = SessionId::new(uuid::Uuid::from_u128(2));

    #[test]
    fn all_but_one_end() {
        let ended = OtherSessionsEnded { kept: Some(LAPTOP), epoch: 1, at: at(5) };
        let past = [registered(), activated()];
        given::<User>(past.clone())
            .when(|state| decide(state, Some(LAPTOP), at(5)))
            .then([ended.clone()]);
        let past = [past.as_slice(), &[ended.into()]].concat();
        let user = past.iter().fold(User::default(), User::evolve);
        assert!(user.honours(LAPTOP, 0) && !user.honours(PHONE, 0));
        given::<User>([registered()])
            .when(|state| decide(state, None, at(5)))
            .then_rejected(Rejection::Inactive);
    }
}
