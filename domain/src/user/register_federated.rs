//! Begin an account with a sign-in at an identity provider, which has verified the address.

use super::{Event, IdentityLinked, Rejection, Standing, User, UserActivated, UserRegistered};
use crate::{LinkNonce, Sealed, Timestamp, UserId};

/// The wish: an account with these sealed fields, and the identity that proved them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RegisterFederated {
    pub user: UserId,
    pub username: Sealed,
    pub email: Sealed,
    pub first_name: Sealed,
    pub last_name: Sealed,
    pub identity: IdentityLinked,
    pub at: Timestamp,
}

/// Registers, activates and links under a fresh id; that address, username and identity are free is said by claims.
pub fn decide(state: &User, wish: RegisterFederated) -> Result<Vec<Event>, Rejection> {
    if state.standing != Standing::Absent {
        return Err(Rejection::AlreadyRegistered);
    }
    let RegisterFederated { user, username, email, first_name, last_name, identity, at } = wish;
    let registered = UserRegistered {
        user,
        username,
        email,
        first_name,
        last_name,
        password: None,
        // No link was mailed, and the account is active: this one is never good.
        nonce: LinkNonce::new(0),
        expires_at: at,
        at,
    };
    Ok(vec![registered.into(), UserActivated { at }.into(), identity.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::activate::{self, Activate};
    use crate::user::samples::{
        ANN, activated, at, linked, registered, registered_elsewhere, sealed,
    };

    fn wish() -> RegisterFederated {
        let Event::IdentityLinked(identity) = linked("google", 1) else { panic!("not a link") };
        RegisterFederated {
            user: ANN,
            username: sealed("ann"),
            email: sealed("ann@example.com"),
            first_name: sealed("Ann"),
            last_name: sealed(""),
            identity,
            at: at(1),
        }
    }

    #[test]
    fn the_account_is_active_at_once_and_has_one_way_in() {
        given::<User>([]).when(|state| decide(state, wish())).then([
            registered_elsewhere(),
            activated(),
            linked("google", 1),
        ]);
        let events = decide(&User::default(), wish()).unwrap();
        let state = events.iter().fold(User::default(), User::evolve);
        assert_eq!((state.standing, state.identities.len()), (Standing::Active, 1));
    }

    #[test]
    fn its_unmailed_link_opens_nothing() {
        let state = [registered_elsewhere()].iter().fold(User::default(), User::evolve);
        let forged = Activate { nonce: LinkNonce::new(0), at: at(1) };
        assert_eq!(activate::decide(&state, forged), Err(Rejection::LinkExpired));
    }

    #[test]
    fn an_id_is_used_once() {
        given::<User>([registered()])
            .when(|state| decide(state, wish()))
            .then_rejected(Rejection::AlreadyRegistered);
    }
}
