//! Who calls a route for data: somebody who is signed in, or whoever holds a token. What a token may do and see is decided
//! below, by `Unit::authorize` and by the queries, never in a handler.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use keynest_commands::{CommandError, Origin, Repeatable};
use keynest_domain::{Permission, Place, Role, authorize, authorize_scoped};
use keynest_projections::Reader;

use super::caller::{Caller, Credential, credential, known};
use crate::{App, Problem, auth};

/// A caller of a route that takes tokens too.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Principal {
    pub origin: Origin,
    /// For queries: whose rows, as far as the token reaches.
    pub reader: Reader,
}

impl Principal {
    /// The one authorisation function, for queries whose rows come with the caller's role.
    pub fn require(
        &self,
        place: impl Into<Place>,
        role: Option<Role>,
        permission: Permission,
    ) -> Result<(), Problem> {
        let place = place.into();
        let allowed = match &self.origin.token {
            None => authorize(role, permission),
            Some(token) => authorize_scoped(role, &token.scope, place, permission),
        };
        let organization = place.organization;
        allowed.map(drop).map_err(|why| CommandError::Denied { organization, why }.into())
    }
}

impl From<Caller> for Principal {
    fn from(caller: Caller) -> Self {
        Self { reader: caller.reader(), origin: caller.origin }
    }
}

impl FromRequestParts<App> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // The layer in front of a route may have checked the same credential already.
        if let Some(known) = parts.extensions.get::<Self>() {
            let mut known = known.clone();
            known.origin.command = parts.extensions.get::<Repeatable>().copied();
            return Ok(known);
        }
        let principal = match credential(parts)? {
            Credential::Token(text) => auth::present(parts, app, text).await?,
            Credential::Session(_) => {
                <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await?.into()
            }
        };
        let address = principal.origin.client.as_ref().and_then(|client| client.address);
        let reader = principal.reader.at(address, principal.origin.visit.clone());
        let reader = reader.in_hands_of(principal.origin.bearer());
        let principal = Self { reader, ..principal };
        parts.extensions.insert(principal.clone());
        Ok(principal)
    }
}

impl OptionalFromRequestParts<App> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        known(<Self as FromRequestParts<App>>::from_request_parts(parts, app).await)
    }
}
