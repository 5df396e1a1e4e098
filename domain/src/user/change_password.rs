//! Change the password, knowing the old one; every other session ends.

use super::{Event, PasswordChanged, Rejection, User};
use crate::{Sealed, SessionId, Timestamp};

/// The wish: another password.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangePassword {
    /// The stored hash that the old password was compared with; `None` when they differ.
    pub verified: Option<Sealed>,
    pub password: Sealed,
    /// The session that asks, and stays.
    pub kept: Option<SessionId>,
    pub at: Timestamp,
}

/// The comparison must have been made with the hash that stands now.
pub fn decide(state: &User, wish: ChangePassword) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if !state.is_proved_by(wish.verified.as_ref()) {
        return Err(Rejection::WrongPassword);
    }
    let ChangePassword { password, kept, at, .. } = wish;
    Ok(vec![PasswordChanged { password, kept, epoch: state.epoch + 1, at }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::samples::{activated, at, registered, sealed};

    const LAPTOP: SessionId = SessionId::new(uuid::Uuid::from_u128(1));
    const PHONE: SessionId = SessionId::new(uuid::Uuid::from_u128(2));

    fn wish(verified: Option<&str>) -> ChangePassword {
        ChangePassword {
            verified: verified.map(sealed),
            password: sealed("new"),
            kept: Some(LAPTOP),
            at: at(5),
        }
    }

    fn changed() -> PasswordChanged {
        PasswordChanged { password: sealed("new"), kept: Some(LAPTOP), epoch: 1, at: at(5) }
    }

    #[test]
    fn only_whoever_knows_the_old_password_sets_a_new_one() {
        let past = [registered(), activated()];
        let when =
            |verified| given::<User>(past.clone()).when(move |it| decide(it, wish(verified)));
        when(Some("hash")).then([changed()]);
        when(None).then_rejected(Rejection::WrongPassword);
        when(Some("older hash")).then_rejected(Rejection::WrongPassword);
    }

    #[test]
    fn every_other_session_ends() {
        let past = [registered(), activated(), changed().into()];
        let user = past.iter().fold(User::default(), User::evolve);
        assert!(user.honours(LAPTOP, 0));
        assert!(!user.honours(PHONE, 0));
        assert!(user.honours(PHONE, 1));
    }
}
