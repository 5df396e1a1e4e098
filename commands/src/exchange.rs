//! A service shows a token of another issuer and gets an access token of ours, as far as a rule says.

use keynest_crypto::{Context, Subject};
use keynest_domain::condition::{Claims, Condition, SUBJECT, hold};
use keynest_domain::exchange::{self, Exchange, Rejection, TokenExchanged};
use keynest_domain::organization::{Organization, Trust};
use keynest_domain::{Aggregate, Event, OrganizationId, Timestamp, TokenId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish, once the token's signature, issuer, audience and time are known to be good.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ExchangeToken {
    pub organization: OrganizationId,
    pub trust: TokenId,
    pub issuer: String,
    pub claims: Claims,
    /// Equal for every copy of the token.
    pub identity: String,
}

impl Commands {
    /// A rule as it stands now, and whose it is.
    pub async fn trust(
        &self,
        id: TokenId,
    ) -> Result<Option<(OrganizationId, Trust)>, CommandError> {
        let Some((stream, _)) = self.store().resolve(&claims::token(id)).await? else {
            return Ok(None);
        };
        if stream.category() != Organization::CATEGORY {
            return Ok(None);
        }
        let damaged = |_| CommandError::Damaged(stream.to_string());
        let organization: OrganizationId = stream.id().parse().map_err(damaged)?;
        let state = self.read::<Organization>(organization).await?;
        let service = state.services.get(&id).filter(|_| state.is_alive());
        let trust = service.and_then(|service| service.trust()).cloned();
        Ok(trust.map(|trust| (organization, trust)))
    }

    /// Exchanges a token; answers until when the access token is good.
    pub async fn exchange_token(
        &self,
        origin: &Origin,
        wish: ExchangeToken,
    ) -> Result<Executed<Timestamp>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for ExchangeToken {
    type Outcome = Timestamp;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let organization = unit.load::<Organization>(self.organization).await?;
        let service = organization.services.get(&self.trust).filter(|_| organization.is_alive());
        let trust = service.and_then(|service| service.trust()).ok_or(Rejection::NotTrusted)?;
        let conditions = unit.conditions(self.organization, trust).await?;
        if trust.issuer != self.issuer || !hold(&conditions, &self.claims) {
            return Err(Rejection::NotTrusted.into());
        }
        let at = unit.now();
        let id = unit.commands().keyring().exchange_id(&self.identity);
        let state = unit.load::<Exchange>(id).await?;
        let subject = self.claims.get(SUBJECT).map_or("", String::as_str);
        let (of, event) = (Subject::Organization(self.organization), "exchange.token_exchanged");
        let exchanged = TokenExchanged {
            organization: self.organization,
            trust: self.trust,
            subject: unit.seal::<Exchange>(of, id, event, "subject", subject).await?,
            expires_at: at + trust.lifetime,
            at,
        };
        unit.file_under(self.organization);
        unit.stage::<Exchange>(id, exchange::decide(&state, exchanged)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Timestamp {
        events.iter().find_map(until).expect("an exchange is always appended")
    }
}

impl Unit<'_> {
    /// What the rule asks of the claims; nothing satisfies conditions that cannot be read any more.
    async fn conditions(
        &self,
        organization: OrganizationId,
        trust: &Trust,
    ) -> Result<Vec<Condition>, CommandError> {
        let stream = Organization::stream(organization);
        let subject = Subject::Organization(organization);
        let context = Context::new(subject, stream, "organization.trust_created", "conditions");
        let text = self.commands().keyring().open_text(&context, &trust.conditions).await?;
        let Some(text) = text else { return Ok(Vec::new()) };
        serde_json::from_str(&text)
            .map_err(|_| CommandError::Damaged(Organization::stream(organization).to_string()))
    }
}

fn until(event: &Event) -> Option<Timestamp> {
    let Event::Exchange(exchange::Event::TokenExchanged(it)) = event else { return None };
    Some(it.expires_at)
}
