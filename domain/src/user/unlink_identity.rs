//! Take an account at an identity provider away from this account.

use super::{Event, IdentityUnlinked, Rejection, User, WorkingWaysIn};
use crate::IdentityId;

/// Unlinks, unless nobody could sign in any more.
pub fn decide(
    state: &User,
    id: IdentityId,
    working: &WorkingWaysIn,
) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let identity = state.identity(id).ok_or(Rejection::IdentityUnknown)?;
    let goes = usize::from(working.identities.contains(&id));
    if state.ways_in(working) <= goes {
        return Err(Rejection::LastWayIn);
    }
    let provider = identity.provider.clone();
    Ok(vec![IdentityUnlinked { identity: id, provider }.into()])
}

/// Forgets the identity.
pub(super) fn evolve(mut state: User, event: &IdentityUnlinked) -> User {
    state.identities.retain(|known| known.id != event.identity);
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FactorId;
    use crate::testing::given;
    use crate::user::PasskeyEnrolled;
    use crate::user::samples::{
        activated, at, identity, linked, registered, registered_elsewhere, sealed,
    };

    fn works(identities: &[u128]) -> WorkingWaysIn {
        WorkingWaysIn {
            identities: identities.iter().copied().map(identity).collect(),
            passkeys: true,
        }
    }

    fn wish(number: u128, working: &[u128]) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        let working = works(working);
        move |state| decide(state, identity(number), &working)
    }

    fn unlinked(provider: &str, number: u128) -> IdentityUnlinked {
        let Event::IdentityLinked(it) = linked(provider, number) else { panic!("not a link") };
        IdentityUnlinked { identity: it.identity, provider: it.provider }
    }

    fn passkey() -> Event {
        PasskeyEnrolled {
            factor: FactorId::new(uuid::Uuid::from_u128(9)),
            name: sealed("key"),
            credential: sealed("credential"),
            counter: 0,
            at: at(3),
        }
        .into()
    }

    #[test]
    fn every_other_way_in_lets_it_go_and_none_keeps_it() {
        let (google, github) = (linked("google", 1), linked("github", 2));
        for has_password in [false, true] {
            for others in [false, true] {
                for has_passkey in [false, true] {
                    let begin = if has_password { registered() } else { registered_elsewhere() };
                    let mut past = vec![begin, activated(), google.clone()];
                    past.extend(others.then(|| github.clone()));
                    past.extend(has_passkey.then(passkey));
                    let given = given::<User>(past).when(wish(1, &[1, 2]));
                    match has_password || others || has_passkey {
                        true => given.then([unlinked("google", 1)]),
                        false => given.then_rejected(Rejection::LastWayIn),
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_work_now_is_no_way_in() {
        let past = [registered_elsewhere(), activated(), linked("google", 1), linked("github", 2)];
        // The other one's provider is gone.
        given::<User>(past.clone()).when(wish(1, &[1])).then_rejected(Rejection::LastWayIn);
        // It goes itself, and nothing is lost by it.
        given::<User>(past.clone()).when(wish(2, &[1])).then([unlinked("github", 2)]);
        let past = [past.to_vec(), vec![passkey()]].concat();
        let off = WorkingWaysIn { identities: vec![identity(1)], passkeys: false };
        given::<User>(past)
            .when(|state| decide(state, identity(1), &off))
            .then_rejected(Rejection::LastWayIn);
    }

    #[test]
    fn what_is_not_linked_cannot_be_unlinked() {
        given::<User>([registered(), activated(), linked("google", 1)])
            .when(wish(2, &[1]))
            .then_rejected(Rejection::IdentityUnknown);
    }
}
