//! Take over what an identity provider says the person is called now.

use super::{Event, ProfileSynchronised, Rejection, User};

/// The wish: what the provider says, where it differs from what is known.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SynchroniseProfile {
    pub profile: ProfileSynchronised,
    /// Whether all of it is known; only whoever can open it knows.
    pub is_unchanged: bool,
}

/// Names follow the provider only as long as the person never chose others.
pub fn decide(state: &User, wish: SynchroniseProfile) -> Result<Vec<Event>, Rejection> {
    state.require_active()?;
    let mut profile = wish.profile;
    if state.identity(profile.identity).is_none() {
        return Err(Rejection::IdentityUnknown);
    }
    if wish.is_unchanged {
        return Ok(Vec::new());
    }
    if !state.names_follow {
        (profile.first_name, profile.last_name) = (None, None);
    }
    Ok(vec![profile.into()])
}

/// Names and picture as the provider has them.
pub(super) fn evolve(mut state: User, event: &ProfileSynchronised, name: &'static str) -> User {
    if let (Some(first), Some(last)) = (&event.first_name, &event.last_name) {
        state.first_name = Some(first.clone());
        state.last_name = Some(last.clone());
        state.names_sealed_by = Some(name);
    }
    for known in state.identities.iter_mut().filter(|known| known.id == event.identity) {
        known.avatar_url = event.avatar_url.clone();
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;
    use crate::user::ProfileUpdated;
    use crate::user::samples::{
        activated, identity, linked, registered, registered_elsewhere, sealed,
    };

    fn told() -> ProfileSynchronised {
        ProfileSynchronised {
            identity: identity(1),
            first_name: Some(sealed("Anna")),
            last_name: Some(sealed("A")),
            avatar_url: Some(sealed("https://pictures.example/1")),
        }
    }

    fn wish(is_unchanged: bool) -> impl FnOnce(&User) -> Result<Vec<Event>, Rejection> {
        move |state| decide(state, SynchroniseProfile { profile: told(), is_unchanged })
    }

    #[test]
    fn names_follow_the_provider_until_the_person_chooses() {
        let past = [registered_elsewhere(), activated(), linked("google", 1)];
        given::<User>(past.clone()).when(wish(false)).then([told()]);
        given::<User>(past.clone()).when(wish(true)).then_nothing();
        let chosen = ProfileUpdated { first_name: sealed("Ann"), last_name: sealed("B") };
        let only_the_picture = ProfileSynchronised { first_name: None, last_name: None, ..told() };
        given::<User>([past.to_vec(), vec![chosen.into()]].concat())
            .when(wish(false))
            .then([only_the_picture.clone()]);
        given::<User>([registered(), activated(), linked("google", 1)])
            .when(wish(false))
            .then([only_the_picture]);
    }

    #[test]
    fn only_a_linked_identity_says_anything() {
        given::<User>([registered_elsewhere(), activated()])
            .when(wish(false))
            .then_rejected(Rejection::IdentityUnknown);
    }
}
