//! Make a service: a token of the organization, or a rule that exchanges tokens of another issuer.

use super::{Event, Organization, Rejection, ServiceTokenCreated, TrustCreated};
use crate::Timestamp;

/// A token of the organization.
pub fn token(
    state: &Organization,
    wish: ServiceTokenCreated,
    services_max: usize,
) -> Result<Vec<Event>, Rejection> {
    require_room(state, wish.at, services_max)?;
    Ok(vec![wish.into()])
}

/// A rule for tokens of another issuer.
pub fn trust(
    state: &Organization,
    wish: TrustCreated,
    services_max: usize,
) -> Result<Vec<Event>, Rejection> {
    require_room(state, wish.at, services_max)?;
    Ok(vec![wish.into()])
}

fn require_room(state: &Organization, at: Timestamp, max: usize) -> Result<(), Rejection> {
    let living = state.services.values().filter(|service| service.is_living(at)).count();
    if living >= max { Err(Rejection::TooManyServices) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::given::*;
    use crate::organization::{ServiceTokenRevoked, TrustRemoved};
    use crate::testing::given;
    use crate::{Aggregate, Role, TokenId, UserId};

    #[test]
    fn tokens_and_rules_share_one_limit_and_expired_tokens_do_not_count() {
        let past = [created(), service_token(7, 100).into(), service_trust(8).into()];
        let mut wish = service_token(9, 300);
        let decide = |wish: ServiceTokenCreated| move |state: &Organization| token(state, wish, 2);
        given::<Organization>(past.clone())
            .when(decide(wish.clone()))
            .then_rejected(Rejection::TooManyServices);
        given::<Organization>(past.clone())
            .when(|state| trust(state, service_trust(9), 2))
            .then_rejected(Rejection::TooManyServices);
        wish.at = seconds(100);
        given::<Organization>(past).when(decide(wish.clone())).then([wish]);
    }

    #[test]
    fn a_service_has_its_role_and_is_no_member() {
        let past: [Event; 3] = [created(), service_token(7, 100).into(), service_trust(8).into()];
        let state = past.into_iter().fold(Organization::default(), |state, it| state.evolve(&it));
        assert_eq!(state.role_of(UserId::new(7)), Some(Role::Editor));
        assert_eq!(state.role_of(UserId::new(8)), Some(Role::Viewer));
        assert!(state.members.is_empty());
        let ends: [Event; 2] = [
            ServiceTokenRevoked { token: TokenId::new(7) }.into(),
            TrustRemoved { trust: TokenId::new(8) }.into(),
        ];
        let state = ends.into_iter().fold(state, |state, it| state.evolve(&it));
        assert_eq!([7, 8].map(|id| state.role_of(UserId::new(id))), [None, None]);
    }
}
