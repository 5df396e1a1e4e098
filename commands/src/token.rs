//! What tokens of people and of organizations have in common: name, scope, networks, lifetime.

use keynest_crypto::Subject;
use keynest_domain::environment::Environment;
use keynest_domain::organization::Organization;
use keynest_domain::{
    Aggregate, EnvironmentId, Lifetime, OrganizationId, Permission, Place, ProjectId, Reach,
    Sealed, Timestamp, TokenAccess, TokenId, TokenName, TokenScope, authorize,
};

use crate::{CommandError, Unit};

/// A place by its own number; its parents are looked up, never believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Spot {
    Organization(OrganizationId),
    Project(ProjectId),
    Environment(EnvironmentId),
}

/// The scope that somebody wishes for.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ScopeWish {
    pub access: TokenAccess,
    /// `None`: wherever the bearer may go.
    pub spots: Option<Vec<Spot>>,
}

/// A token that somebody wishes for.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NewToken {
    pub name: TokenName,
    pub scope: ScopeWish,
    /// Networks in CIDR form; from anywhere if there is none.
    pub ranges: Vec<String>,
    pub lifetime: Lifetime,
    /// Keyed, of its text, which is not known here.
    pub digest: String,
}

/// A token that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Made {
    pub id: TokenId,
    /// Of the text that it was made with: a repeat of the command has made another text, which is worth nothing.
    pub digest: String,
    pub expires_at: Timestamp,
}

impl Unit<'_> {
    /// The scope, its places resolved: each one living, and visible to the actor.
    pub(crate) async fn scope(&mut self, wish: &ScopeWish) -> Result<TokenScope, CommandError> {
        let Some(spots) = &wish.spots else {
            return Ok(TokenScope { access: wish.access, reach: Reach::Everywhere });
        };
        let mut places = Vec::with_capacity(spots.len());
        for spot in spots {
            let place = self.place(*spot).await?;
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(TokenScope { access: wish.access, reach: Reach::Places(places) })
    }

    async fn place(&mut self, spot: Spot) -> Result<Place, CommandError> {
        let place = match spot {
            Spot::Organization(id) => Place::organization(id),
            Spot::Project(id) => Place::project(self.living_project(id).await?.1, id),
            Spot::Environment(id) => {
                let environment = self.load::<Environment>(id).await?;
                let project = environment.project.filter(|_| environment.is_alive());
                let project = project.ok_or(CommandError::Absent("environment"))?;
                Place::environment(self.living_project(project).await?.1, project, id)
            }
        };
        let actor = self.actor()?;
        let organization = self.load::<Organization>(place.organization).await?;
        authorize(organization.role_of(actor), Permission::ViewOrganization)
            .map_err(|_| CommandError::Absent("organization"))?;
        Ok(place)
    }

    /// The networks, sealed as JSON; `None` if there is no bound.
    pub(crate) async fn seal_ranges<A: Aggregate>(
        &self,
        subject: Subject,
        id: A::Id,
        event: &'static str,
        ranges: &[String],
    ) -> Result<Option<Sealed>, CommandError> {
        if ranges.is_empty() {
            return Ok(None);
        }
        let text = serde_json::to_string(ranges).expect("texts are JSON");
        self.seal::<A>(subject, id, event, "ranges", &text).await.map(Some)
    }
}
