//! End a service: from then on it has no role, whatever it holds.

use super::{Event, Organization, Rejection, ServiceKind, ServiceTokenRevoked, TrustRemoved};
use crate::TokenId;

/// Ends a token of the organization.
pub fn token(state: &Organization, token: TokenId) -> Result<Vec<Event>, Rejection> {
    match state.services.get(&token).map(|service| &service.kind) {
        Some(ServiceKind::Token { .. }) => Ok(vec![ServiceTokenRevoked { token }.into()]),
        Some(ServiceKind::Trust(_)) | None => Err(Rejection::ServiceUnknown),
    }
}

/// Ends a rule, and with it every access token that was given by it.
pub fn trust(state: &Organization, trust: TokenId) -> Result<Vec<Event>, Rejection> {
    match state.services.get(&trust).map(|service| &service.kind) {
        Some(ServiceKind::Trust(_)) => Ok(vec![TrustRemoved { trust }.into()]),
        Some(ServiceKind::Token { .. }) | None => Err(Rejection::ServiceUnknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::given::*;
    use crate::testing::given;

    #[test]
    fn each_kind_ends_by_its_own_door() {
        let past = || [created(), service_token(7, 100).into(), service_trust(8).into()];
        let [seven, eight] = [7, 8].map(TokenId::new);
        given::<Organization>(past())
            .when(|state| token(state, seven))
            .then([ServiceTokenRevoked { token: seven }]);
        given::<Organization>(past())
            .when(|state| trust(state, eight))
            .then([TrustRemoved { trust: eight }]);
        let unknown = Rejection::ServiceUnknown;
        given::<Organization>(past()).when(|state| token(state, eight)).then_rejected(unknown);
        given::<Organization>(past()).when(|state| trust(state, seven)).then_rejected(unknown);
    }
}
