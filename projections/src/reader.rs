//! Who asks, and how far a token lets its bearer see: the read side's counterpart of `Unit::authorize`.

use std::sync::Arc;

use keynest_domain::{Reach, TokenScope, UserId};

/// Who asks. Rows outside of a token's reach are not there for it.
#[derive(Clone, Debug)]
pub struct Reader {
    user: UserId,
    /// `None`: wherever the user may look.
    reach: Option<Arc<Reached>>,
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
        Self { user, reach: Some(Arc::new(reached)) }
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
        Self { user, reach: None }
    }
}

impl From<&Reader> for Reader {
    fn from(reader: &Reader) -> Self {
        reader.clone()
    }
}
