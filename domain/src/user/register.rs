//! Ask for an account.

use super::{Event, Rejection, Standing, User, UserRegistered};
use crate::{Lifetime, LinkNonce, Sealed, Timestamp, UserId};

/// The wish: an account with these sealed fields.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Register {
    pub user: UserId,
    pub username: Sealed,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub password: Sealed,
    pub nonce: LinkNonce,
    /// Of the link.
    pub lifetime: Lifetime,
    pub at: Timestamp,
}

/// Registers under a fresh id; that address and username are free is said by claims.
pub fn decide(state: &User, wish: Register) -> Result<Vec<Event>, Rejection> {
    if state.standing != Standing::Absent {
        return Err(Rejection::AlreadyRegistered);
    }
    Ok(vec![wish.into()])
}

impl From<Register> for Event {
    fn from(wish: Register) -> Self {
        let Register {
            user,
            username,
            email,
            first_name,
            last_name,
            password,
            nonce,
            lifetime,
            at,
        } = wish;
        let expires_at = at + lifetime;
        UserRegistered {
            user,
            username,
            email,
            first_name,
            last_name,
            password: Some(password),
            nonce,
            expires_at,
            at,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{ANN, at, registered, sealed};

    fn wish() -> Register {
        Register {
            user: ANN,
            username: sealed("ann"),
            email: sealed("ann@example.com"),
            first_name: sealed("Ann"),
            last_name: sealed(""),
            password: sealed("hash"),
            nonce: LinkNonce::new(1),
            lifetime: crate::user::links::ACTIVATION_LIFETIME,
            at: at(0),
        }
    }

    #[test]
    fn an_account_begins_inactive_with_a_link_for_a_day() {
        given::<User>([]).when(|state| decide(state, wish())).then([registered()]);
        let Event::UserRegistered(event) = registered() else { panic!("not a registration") };
        assert_eq!(event.expires_at, at(24 * 3_600));
    }

    #[test]
    fn an_id_is_used_once() {
        given::<User>([registered()])
            .when(|state| decide(state, wish()))
            .then_rejected(Rejection::AlreadyRegistered);
    }
}
