//! Store the same password with today's parameters, at a sign-in. Nothing ends and nobody is told: it is the same password.

use serde::{Deserialize, Serialize};

use super::{Event, Rejection, User};
use crate::Sealed;

/// See [`super::Event::PasswordRehashed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasswordRehashed {
    pub password: Sealed,
}

/// The comparison must have been made with the hash that stands now, or another sign-in was first.
pub fn decide(state: &User, verified: &Sealed, password: Sealed) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    if state.password.as_ref() != Some(verified) {
        return Ok(Vec::new());
    }
    Ok(vec![PasswordRehashed { password }.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::PasswordChanged;
    use crate::user::samples::{activated, at, registered, sealed};

    fn rehash(state: &User) -> Result<Vec<Event>, Rejection> {
        decide(state, &sealed("hash"), sealed("stronger"))
    }

    fn rehashed() -> Event {
        PasswordRehashed { password: sealed("stronger") }.into()
    }

    #[test]
    fn one_of_two_sign_ins_stores_the_stronger_hash() {
        let past = vec![registered(), activated()];
        given::<User>(past.clone()).when(rehash).then([rehashed()]);
        given::<User>([past, vec![rehashed()]].concat()).when(rehash).then_nothing();
    }

    #[test]
    fn a_password_that_was_changed_meanwhile_stays() {
        let changed =
            PasswordChanged { password: sealed("other"), kept: None, epoch: 1, at: at(5) };
        given::<User>([registered(), activated(), changed.into()]).when(rehash).then_nothing();
    }

    #[test]
    fn whoever_was_compared_with_the_weaker_hash_still_knows_the_password() {
        let past = [registered(), activated(), rehashed()];
        let user = past.iter().fold(User::default(), User::evolve);
        assert_eq!(user.epoch, 0);
        assert!(user.is_proved_by(Some(&sealed("hash"))));
        assert!(user.is_proved_by(Some(&sealed("stronger"))));
        assert!(!user.is_proved_by(Some(&sealed("older"))) && !user.is_proved_by(None));
        let changed =
            PasswordChanged { password: sealed("other"), kept: None, epoch: 1, at: at(5) };
        assert!(!user.evolve(&changed.into()).is_proved_by(Some(&sealed("hash"))));
    }
}
