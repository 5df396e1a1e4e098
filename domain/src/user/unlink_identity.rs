//! Take an account at an identity provider away from this account.

use super::{Event, IdentityUnlinked, Rejection, User};
use crate::IdentityId;

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UnlinkIdentity {
    pub identity: IdentityId,
}

/// Unlinks, unless nobody could sign in any more.
pub fn decide(state: &User, wish: UnlinkIdentity) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let identity = state.identity(wish.identity).ok_or(Rejection::IdentityUnknown)?;
    if state.ways_in() <= 1 {
        return Err(Rejection::LastWayIn);
    }
    let provider = identity.provider.clone();
    Ok(vec![IdentityUnlinked { identity: wish.identity, provider }.into()])
}

/// Forgets the identity.
pub(super) fn evolve(mut state: User, event: &IdentityUnlinked) -> User {
    state.identities.retain(|known| known.id != event.identity);
    state
}

impl User {
    /// In how many ways the person can sign in: the password and each identity.
    pub fn ways_in(&self) -> usize {
        usize::from(self.password.is_some()) + self.identities.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::samples::{activated, identity, linked, registered, registered_elsewhere};

    fn wish(number: u128) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        move |state| decide(state, UnlinkIdentity { identity: identity(number) })
    }

    fn unlinked(provider: &str, number: u128) -> IdentityUnlinked {
        let Event::IdentityLinked(it) = linked(provider, number) else { panic!("not a link") };
        IdentityUnlinked { identity: it.identity, provider: it.provider }
    }

    #[test]
    fn who_has_a_password_unlinks() {
        given::<User>([registered(), activated(), linked("google", 1)])
            .when(wish(1))
            .then([unlinked("google", 1)]);
    }

    #[test]
    fn the_last_way_in_stays() {
        let past = [registered_elsewhere(), activated(), linked("google", 1)];
        given::<User>(past.clone()).when(wish(1)).then_rejected(Rejection::LastWayIn);
        let past = [past.to_vec(), vec![linked("github", 2)]].concat();
        given::<User>(past.clone()).when(wish(1)).then([unlinked("google", 1)]);
        let past = [past, vec![unlinked("google", 1).into()]].concat();
        given::<User>(past).when(wish(2)).then_rejected(Rejection::LastWayIn);
    }

    #[test]
    fn what_is_not_linked_cannot_be_unlinked() {
        given::<User>([registered(), activated(), linked("google", 1)])
            .when(wish(2))
            .then_rejected(Rejection::IdentityUnknown);
    }
}
