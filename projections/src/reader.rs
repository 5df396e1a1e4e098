//! Who asks, and how far a token lets its bearer see: the read side's counterpart of `Unit::authorize`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use keynest_domain::{Bearer, OrganizationId, Reach, TokenScope, UserId, Visit};
use serde_json::json;

use crate::error::QueryError;

/// Who asks. Rows outside of a token's reach are not there for it.
#[derive(Clone, Debug)]
pub struct Reader {
    user: UserId,
    /// `None`: wherever the user may look.
    reach: Option<Arc<Reached>>,
    /// `None`: the product itself asks in the person's name, from nowhere.
    address: Option<IpAddr>,
    visit: Visit,
    /// What tells whether a second factor stands behind the request, where an organization asks for one.
    bearer: Bearer,
}

/// A reach as statements compare it: `None` everywhere for somebody who is signed in.
#[derive(Debug, Default)]
struct Reached {
    whole_organizations: Vec<i64>,
    whole_projects: Vec<i64>,
    environments: Vec<i64>,
    /// In the scope or on the way to it: visible by name.
    seen_organizations: Vec<i64>,
    seen_projects: Vec<i64>,
}

impl Reader {
    /// Somebody who comes with a token.
    pub fn scoped(user: UserId, scope: &TokenScope) -> Self {
        let Reach::Places(places) = &scope.reach else { return user.into() };
        let mut reached = Reached::default();
        for place in places {
            reached.seen_organizations.push(place.organization.get());
            reached.seen_projects.extend(place.project.map(|id| id.get()));
            match (place.project, place.environment) {
                (_, Some(environment)) => reached.environments.push(environment.get()),
                (Some(project), None) => reached.whole_projects.push(project.get()),
                (None, None) => reached.whole_organizations.push(place.organization.get()),
            }
        }
        Self { reach: Some(Arc::new(reached)), ..user.into() }
    }

    /// From this address; one that is not known is nowhere. Rows of organizations that do not let it in are not there for
    /// lists; a single object answers [`QueryError::AddressNotAllowed`] or [`QueryError::SecondFactorRequired`].
    #[must_use]
    pub fn at(self, address: Option<IpAddr>, visit: Visit) -> Self {
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
        Self { address: Some(address), visit, ..self }
    }

    /// In whose hands: organizations that require a second factor are open to no reader who has not said.
    #[must_use]
    pub fn in_hands_of(self, bearer: Bearer) -> Self {
        Self { bearer, ..self }
    }

    /// KeyNest itself, for what it tells a person about a command that was done.
    pub fn product(user: UserId) -> Self {
        Self::from(user).in_hands_of(Bearer::Product)
    }

    /// From where.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Who asks, for `read_verdict`, the one function that lets readers in.
    pub(crate) fn who(&self) -> String {
        let (mut session, mut token) = (None, None);
        let bearer = match self.bearer {
            Bearer::Unknown => "unknown",
            Bearer::Session(id) => {
                session = Some(id.get());
                "session"
            }
            Bearer::Token(id) => {
                token = Some(id.get());
                "token"
            }
            Bearer::Service => "service",
            Bearer::Product => "product",
        };
        let (user, address) = (self.user.get(), self.address);
        json!({"user": user, "address": address, "bearer": bearer, "session": session, "token": token})
            .to_string()
    }

    /// Goes by what `read_verdict` said of a row. What it may say besides lets nobody in.
    pub(crate) fn admit(&self, id: OrganizationId, verdict: &str) -> Result<(), QueryError> {
        self.visit
            .enter(id)
            .map_err(|seconds| QueryError::Throttled { organization: id, seconds })?;
        match verdict {
            "let_in" => Ok(()),
            "would_refuse" => {
                self.visit.note_dry_run(id);
                Ok(())
            }
            "second_factor_required" => Err(QueryError::SecondFactorRequired(id)),
            _ => Err(QueryError::AddressNotAllowed(id)),
        }
    }

    /// Whose rows.
    pub fn user(&self) -> UserId {
        self.user
    }

    pub(crate) fn whole_organizations(&self) -> Option<&[i64]> {
        self.reach.as_ref().map(|it| it.whole_organizations.as_slice())
    }

    pub(crate) fn whole_projects(&self) -> Option<&[i64]> {
        self.reach.as_ref().map(|it| it.whole_projects.as_slice())
    }

    pub(crate) fn environments(&self) -> Option<&[i64]> {
        self.reach.as_ref().map(|it| it.environments.as_slice())
    }

    pub(crate) fn seen_organizations(&self) -> Option<&[i64]> {
        self.reach.as_ref().map(|it| it.seen_organizations.as_slice())
    }

    pub(crate) fn seen_projects(&self) -> Option<&[i64]> {
        self.reach.as_ref().map(|it| it.seen_projects.as_slice())
    }
}

impl From<UserId> for Reader {
    fn from(user: UserId) -> Self {
        let (visit, bearer) = (Visit::default(), Bearer::Unknown);
        Self { user, reach: None, address: None, visit, bearer }
    }
}

impl From<&Reader> for Reader {
    fn from(reader: &Reader) -> Self {
        reader.clone()
    }
}
