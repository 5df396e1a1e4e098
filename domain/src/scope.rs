//! What a token may do, and where: never more than its bearer's role (CONTRACT 8, DESIGN 3).

use serde::{Deserialize, Serialize};

use crate::permission::{Denied, EDITOR, authorize};
use crate::{EnvironmentId, OrganizationId, Permission, ProjectId, Role};

/// Places that one token names, at most.
pub const PLACES_MAX: usize = 50;

/// Where something is: an organization, a project in it, an environment in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Place {
    pub organization: OrganizationId,
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentId>,
}

/// Whether a token only looks or also changes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAccess {
    /// Sees what its role sees, values included.
    Read,
    /// And changes what an editor changes.
    Write,
}

/// The part of the world that a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Wherever its bearer may go, now and later.
    Everywhere,
    /// These places and what is in them. The way to them is visible by name.
    Places(Vec<Place>),
}

/// What a token allows its bearer; the role may allow less, never more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenScope {
    pub access: TokenAccess,
    pub reach: Reach,
}

/// How a scope stands to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Inside,
    /// Something inside of the place is in the scope: the place shows its name and no more.
    OnTheWay,
    Outside,
}

/// What a token that only looks may ever do.
const READ: &[Permission] = &[
    Permission::ViewOrganization,
    Permission::ViewMembers,
    Permission::ReadValues,
    Permission::ExportValues,
    Permission::ViewAuditLog,
];
/// What is seen of a place that leads to the scope.
const ON_THE_WAY: &[Permission] = &[Permission::ViewOrganization];

impl TokenAccess {
    /// The name in requests and answers: `read`, `write`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|access| access.name() == text.trim())
    }

    fn allows(self, permission: Permission) -> bool {
        match self {
            Self::Read => READ.contains(&permission),
            Self::Write => EDITOR.contains(&permission),
        }
    }
}

impl Place {
    /// An organization and all that is in it.
    pub const fn organization(organization: OrganizationId) -> Self {
        Self { organization, project: None, environment: None }
    }

    /// A project and all that is in it.
    pub const fn project(organization: OrganizationId, project: ProjectId) -> Self {
        Self { organization, project: Some(project), environment: None }
    }

    /// One environment.
    pub const fn environment(
        organization: OrganizationId,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> Self {
        Self { organization, project: Some(project), environment: Some(environment) }
    }

    /// Whether another place is this one or in it.
    fn contains(&self, other: &Self) -> bool {
        self.organization == other.organization
            && (self.project.is_none() || self.project == other.project)
            && (self.environment.is_none() || self.environment == other.environment)
    }
}

impl From<OrganizationId> for Place {
    fn from(organization: OrganizationId) -> Self {
        Self::organization(organization)
    }
}

impl TokenScope {
    fn standing(&self, place: &Place) -> Standing {
        let Reach::Places(places) = &self.reach else { return Standing::Inside };
        if places.iter().any(|it| it.contains(place)) {
            Standing::Inside
        } else if places.iter().any(|it| place.contains(it)) {
            Standing::OnTheWay
        } else {
            Standing::Outside
        }
    }
}

/// The one authorisation function for whoever comes with a token: default deny. What lies outside of the scope does not
/// exist, as for an outsider; what no token may do is refused before role and scope are looked at.
pub fn authorize_scoped(
    role: Option<Role>,
    scope: &TokenScope,
    place: Place,
    permission: Permission,
) -> Result<Role, Denied> {
    let standing = scope.standing(&place);
    if role.is_none() || standing == Standing::Outside {
        return Err(Denied::Outsider);
    }
    if !TokenAccess::Write.allows(permission) {
        return Err(Denied::NotForTokens);
    }
    let role = authorize(role, permission)?;
    let is_covered = standing == Standing::Inside || ON_THE_WAY.contains(&permission);
    if is_covered && scope.access.allows(permission) {
        Ok(role)
    } else {
        Err(Denied::ScopeTooNarrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: OrganizationId = OrganizationId::new(1);
    const SHOP: ProjectId = ProjectId::new(2);
    const LIVE: EnvironmentId = EnvironmentId::new(3);
    const SHOP_LIVE: Place = Place::environment(HOME, SHOP, LIVE);

    fn scope(access: TokenAccess, places: &[Place]) -> TokenScope {
        TokenScope { access, reach: Reach::Places(places.to_vec()) }
    }

    fn verdict(scope: &TokenScope, place: Place, permission: Permission) -> Result<(), Denied> {
        authorize_scoped(Some(Role::Admin), scope, place, permission).map(drop)
    }

    #[test]
    fn a_scope_covers_what_is_inside_and_names_the_way_there() {
        let scope = scope(TokenAccess::Write, &[SHOP_LIVE]);
        let (project, organization) = (Place::project(HOME, SHOP), Place::organization(HOME));
        assert_eq!(verdict(&scope, SHOP_LIVE, Permission::CreateVariable), Ok(()));
        for place in [project, organization] {
            assert_eq!(verdict(&scope, place, Permission::ViewOrganization), Ok(()));
            for more in [Permission::CreateEnvironment, Permission::ViewMembers] {
                assert_eq!(verdict(&scope, place, more), Err(Denied::ScopeTooNarrow), "{place:?}");
            }
        }
        let beside = [
            Place::environment(HOME, SHOP, EnvironmentId::new(4)),
            Place::project(HOME, ProjectId::new(5)),
            Place::organization(OrganizationId::new(6)),
            // The same numbers under another parent are another place.
            Place::environment(OrganizationId::new(6), SHOP, LIVE),
            Place::environment(HOME, ProjectId::new(5), LIVE),
        ];
        for place in beside {
            let seen = verdict(&scope, place, Permission::ViewOrganization);
            assert_eq!(seen, Err(Denied::Outsider), "{place:?}");
        }
    }

    #[test]
    fn a_wider_place_contains_the_narrower_ones() {
        for wide in [Place::organization(HOME), Place::project(HOME, SHOP)] {
            let scope = scope(TokenAccess::Read, &[wide]);
            assert_eq!(verdict(&scope, SHOP_LIVE, Permission::ReadValues), Ok(()));
            let write = verdict(&scope, SHOP_LIVE, Permission::CreateVariable);
            assert_eq!(write, Err(Denied::ScopeTooNarrow));
        }
    }

    #[test]
    fn no_token_does_what_is_for_admins_and_no_scope_lifts_a_role() {
        let scope = TokenScope { access: TokenAccess::Write, reach: Reach::Everywhere };
        let place = Place::organization(HOME);
        for permission in [
            Permission::UpdateOrganization,
            Permission::DeleteOrganization,
            Permission::ManageMembers,
            Permission::ManageServices,
            Permission::DeleteProject,
            Permission::DeleteEnvironment,
        ] {
            assert_eq!(verdict(&scope, place, permission), Err(Denied::NotForTokens));
        }
        let viewer = authorize_scoped(Some(Role::Viewer), &scope, place, Permission::ReadValues);
        assert_eq!(viewer, Err(Denied::RoleTooWeak));
        let outsider = authorize_scoped(None, &scope, place, Permission::ViewOrganization);
        assert_eq!(outsider, Err(Denied::Outsider));
    }

    #[test]
    fn a_scope_without_places_is_for_nothing() {
        let scope = scope(TokenAccess::Write, &[]);
        let seen = verdict(&scope, Place::organization(HOME), Permission::ViewOrganization);
        assert_eq!(seen, Err(Denied::Outsider));
    }
}
