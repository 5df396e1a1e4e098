//! Let an account at an identity provider sign in to this account.

use super::{Event, Identity, IdentityLinked, Rejection, User};

/// Identities of one account at most.
pub const IDENTITIES_MAX: usize = 20;

/// Links to an active account; that no other account has the identity is said by its claim.
pub fn decide(state: &User, wish: IdentityLinked) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let is_known = state.identities.iter().any(|known| known.claim == wish.claim);
    if is_known {
        return Ok(Vec::new());
    }
    // One of a provider is enough, and a second would make it unclear which one was unlinked.
    let is_second = state.identities.iter().any(|known| known.provider == wish.provider);
    if is_second || state.identities.len() >= IDENTITIES_MAX {
        return Err(Rejection::IdentityKnown);
    }
    Ok(vec![wish.into()])
}

/// Adds the identity.
pub(super) fn evolve(mut state: User, event: &IdentityLinked) -> User {
    state.identities.push(Identity {
        id: event.identity,
        provider: event.provider.clone(),
        subject: event.subject.clone(),
        claim: event.claim.clone(),
        avatar_url: None,
    });
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Aggregate;
    use crate::testing::given;
    use crate::user::UserDeactivated;
    use crate::user::samples::{activated, linked, registered};

    fn wish(provider: &str, number: u128) -> IdentityLinked {
        let Event::IdentityLinked(wish) = linked(provider, number) else { panic!("not a link") };
        wish
    }

    #[test]
    fn an_active_account_links_once() {
        let past = [registered(), activated()];
        given::<User>(past.clone())
            .when(|state| decide(state, wish("google", 1)))
            .then([linked("google", 1)]);
        let past = [past.to_vec(), vec![linked("google", 1)]].concat();
        given::<User>(past).when(|state| decide(state, wish("google", 1))).then_nothing();
    }

    #[test]
    fn a_second_identity_of_a_provider_is_refused() {
        given::<User>([registered(), activated(), linked("google", 1)])
            .when(|state| decide(state, wish("google", 2)))
            .then_rejected(Rejection::IdentityKnown);
    }

    #[test]
    fn an_account_that_is_not_active_links_nothing() {
        given::<User>([registered()])
            .when(|state| decide(state, wish("google", 1)))
            .then_rejected(Rejection::Inactive);
        given::<User>([registered(), activated(), UserDeactivated { epoch: 1 }.into()])
            .when(|state| decide(state, wish("google", 1)))
            .then_rejected(Rejection::Deactivated);
    }

    #[test]
    fn activation_wipes_what_was_linked_before() {
        let state = [registered(), linked("google", 1)]
            .iter()
            .fold(User::default(), |state, event| state.evolve(event));
        assert_eq!(state.identities.len(), 1);
        assert_eq!(state.evolve(&activated()).identities, []);
    }
}
