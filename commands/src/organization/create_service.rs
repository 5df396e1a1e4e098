//! An admin gives the organization a token of its own, or a rule by which tokens of another issuer are exchanged.

use keynest_crypto::Subject;
use keynest_domain::condition::Condition;
use keynest_domain::organization::{
    self, Organization, ServiceRole, ServiceTokenCreated, TrustCreated, create_service,
};
use keynest_domain::{
    Aggregate, Event, OrganizationId, Permission, Reach, TokenId, TokenName, TokenScope,
};

use crate::token::{Made, NewToken, ScopeWish};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

const TOKEN: &str = "organization.service_token_created";
const TRUST: &str = "organization.trust_created";

/// The wish for a token.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateServiceToken {
    pub organization: OrganizationId,
    pub role: ServiceRole,
    pub token: NewToken,
}

/// The wish for a rule.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateTrust {
    pub organization: OrganizationId,
    pub name: TokenName,
    /// One of the configured ones.
    pub issuer: String,
    pub conditions: Vec<Condition>,
    pub role: ServiceRole,
    pub scope: ScopeWish,
    pub lifetime_minutes: u32,
}

impl Commands {
    /// Makes a token of an organization.
    pub async fn create_service_token(
        &self,
        origin: &Origin,
        wish: CreateServiceToken,
    ) -> Result<Executed<Made>, CommandError> {
        self.execute(origin, &wish).await
    }

    /// Makes a rule for tokens of another issuer.
    pub async fn create_trust(
        &self,
        origin: &Origin,
        wish: CreateTrust,
    ) -> Result<Executed<TokenId>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for CreateServiceToken {
    type Outcome = Made;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let (id, wish) = (self.organization, &self.token);
        let scope = unit.service_scope(id, &wish.scope).await?;
        let (creator, at) = (unit.actor()?, unit.now());
        let state = unit.load::<Organization>(id).await?;
        let token = TokenId::new(unit.commands().clock().integer_id());
        let subject = Subject::Organization(id);
        let name =
            unit.seal::<Organization>(subject, id, TOKEN, "name", wish.name.as_str()).await?;
        let ranges = unit.seal_ranges::<Organization>(subject, id, TOKEN, &wish.ranges).await?;
        let created = ServiceTokenCreated {
            token,
            name,
            role: self.role,
            scope,
            ranges,
            digest: wish.digest.clone(),
            creator,
            expires_at: at + wish.lifetime,
            at,
        };
        let max = unit.commands().settings().services_per_organization_max;
        unit.stage::<Organization>(id, create_service::token(&state, created, max)?);
        unit.claim(claims::token(token), Organization::stream(id));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Made {
        events.iter().find_map(made).expect("making a token always appends its creation")
    }
}

impl UseCase for CreateTrust {
    type Outcome = TokenId;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        let scope = unit.service_scope(id, &self.scope).await?;
        let (creator, at) = (unit.actor()?, unit.now());
        let state = unit.load::<Organization>(id).await?;
        let trust = TokenId::new(unit.commands().clock().integer_id());
        let subject = Subject::Organization(id);
        let conditions = serde_json::to_string(&self.conditions).expect("texts are JSON");
        let created = TrustCreated {
            trust,
            name: unit.seal::<Organization>(subject, id, TRUST, "name", self.name.as_str()).await?,
            issuer: self.issuer.clone(),
            conditions: unit
                .seal::<Organization>(subject, id, TRUST, "conditions", &conditions)
                .await?,
            role: self.role,
            scope,
            lifetime_minutes: self.lifetime_minutes,
            creator,
            at,
        };
        let max = unit.commands().settings().services_per_organization_max;
        unit.stage::<Organization>(id, create_service::trust(&state, created, max)?);
        unit.claim(claims::token(trust), Organization::stream(id));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> TokenId {
        events.iter().find_map(trusted).expect("making a rule always appends its creation")
    }
}

impl Unit<'_> {
    /// Lets in an admin who has just proved to be one; a service's places are all in its organization.
    async fn service_scope(
        &mut self,
        id: OrganizationId,
        wish: &ScopeWish,
    ) -> Result<TokenScope, CommandError> {
        self.authorize(id, Permission::ManageServices).await?;
        self.require_fresh_sign_in().await?;
        let scope = self.scope(wish).await?;
        match &scope.reach {
            Reach::Places(places) if places.iter().any(|place| place.organization != id) => {
                Err(CommandError::Absent("place"))
            }
            Reach::Everywhere | Reach::Places(_) => Ok(scope),
        }
    }
}

fn made(event: &Event) -> Option<Made> {
    let Event::Organization(organization::Event::ServiceTokenCreated(it)) = event else {
        return None;
    };
    Some(Made { id: it.token, digest: it.digest.clone(), expires_at: it.expires_at })
}

fn trusted(event: &Event) -> Option<TokenId> {
    let Event::Organization(organization::Event::TrustCreated(it)) = event else { return None };
    Some(it.trust)
}
