//! Events to rows. What ends an account's credentials ends its tokens here as it does in the domain.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::organization::{self, ServiceTokenCreated, TrustCreated};
use keynest_domain::user::{self, TokenCreated};
use keynest_domain::{Event, OrganizationId, Role, TokenId, TokenScope, UserId};
use sqlx::PgConnection;

use crate::error::{ApplyError, one_row};
use crate::projection::{Applied, Categories, Projection, column};

/// The projection `tokens`.
pub struct Tokens;

/// Besides those that end everything of an account.
const WANTED: [&str; 8] = [
    "user.token_created",
    "user.token_revoked",
    "user.activated",
    "organization.service_token_created",
    "organization.service_token_revoked",
    "organization.trust_created",
    "organization.trust_removed",
    "organization.deleted",
];

#[async_trait]
impl Projection for Tokens {
    fn name(&self) -> &'static str {
        crate::names::TOKENS
    }

    /// 2: what the session that made a token had shown.
    fn version(&self) -> i32 {
        2
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tokens"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["user", "organization"])
    }

    fn wants(&self, event: &str) -> bool {
        WANTED.contains(&event) || user::ENDS_TOKENS.contains(&event)
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            if let Event::User(event) = &applied.event {
                apply_user(applied, event, rows, keyring).await?;
            } else if let Event::Organization(event) = &applied.event {
                apply_organization(applied, event, rows, keyring).await?;
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        let (user, organization) = match key.subject {
            Subject::User(user) => (Some(user.get()), None),
            Subject::Organization(organization) => (None, Some(organization.get())),
            Subject::Environment(_)
            | Subject::Invitation(_)
            | Subject::Farewell(_)
            | Subject::Instance
            | Subject::Day(_) => return Ok(()),
        };
        sqlx::query!(
            "update tokens set name = null, ranges = null, conditions = null
             where user_id = $1 or organization_id = $2",
            user,
            organization
        )
        .execute(rows)
        .await?;
        Ok(())
    }
}

async fn apply_user(
    applied: &Applied,
    event: &user::Event,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    if let user::Event::TokenCreated(it) = event {
        return personal(applied, it, rows, keyring).await;
    }
    if let user::Event::TokenRevoked(it) = event {
        return end(applied, it.token, rows).await;
    }
    // The other wanted ones end whatever the account had.
    sqlx::query!(
        "update tokens set ended_at = $2 where user_id = $1 and ended_at is null",
        applied.stream_number()?,
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn apply_organization(
    applied: &Applied,
    event: &organization::Event,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    if let organization::Event::ServiceTokenCreated(it) = event {
        return service(applied, it, rows, keyring).await;
    }
    if let organization::Event::TrustCreated(it) = event {
        return trust(applied, it, rows, keyring).await;
    }
    if let organization::Event::ServiceTokenRevoked(it) = event {
        return end(applied, it.token, rows).await;
    }
    if let organization::Event::TrustRemoved(it) = event {
        return end(applied, it.trust, rows).await;
    }
    // The other wanted one ends the organization.
    sqlx::query!(
        "update tokens set ended_at = $2 where organization_id = $1 and ended_at is null",
        applied.stream_number()?,
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn personal(
    applied: &Applied,
    it: &TokenCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let user = UserId::new(applied.stream_number()?);
    let subject = Subject::User(user);
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let ranges = applied.open_optional(keyring, subject, "ranges", it.ranges.as_ref()).await?;
    sqlx::query!(
        "insert into tokens (id, kind, user_id, name, digest, scope, is_bound, ranges, creator_id, created_at, expires_at,
             has_second_factor)
         values ($1, 'personal', $2, $3, $4, $5, $6, $7, $2, $8, $9, $10)",
        it.token.get(),
        user.get(),
        name,
        it.digest,
        text(&it.scope),
        it.ranges.is_some(),
        ranges,
        column(it.at),
        column(it.expires_at),
        it.is_two_factor
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn service(
    applied: &Applied,
    it: &ServiceTokenCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let organization = applied.stream_number()?;
    let subject = Subject::Organization(OrganizationId::new(organization));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let ranges = applied.open_optional(keyring, subject, "ranges", it.ranges.as_ref()).await?;
    sqlx::query!(
        "insert into tokens (id, kind, organization_id, name, digest, role, scope, is_bound, ranges, creator_id,
             created_at, expires_at)
         values ($1, 'service', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        it.token.get(),
        organization,
        name,
        it.digest,
        Role::from(it.role).name(),
        text(&it.scope),
        it.ranges.is_some(),
        ranges,
        it.creator.get(),
        column(it.at),
        column(it.expires_at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn trust(
    applied: &Applied,
    it: &TrustCreated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let organization = applied.stream_number()?;
    let subject = Subject::Organization(OrganizationId::new(organization));
    let name = applied.open(keyring, subject, "name", &it.name).await?;
    let conditions = applied.open(keyring, subject, "conditions", &it.conditions).await?;
    let lifetime = i32::try_from(it.lifetime_minutes);
    let lifetime = lifetime.map_err(|_| ApplyError::failing("a lifetime is above 2^31"))?;
    sqlx::query!(
        "insert into tokens (id, kind, organization_id, name, role, scope, is_bound, issuer, conditions, lifetime_minutes,
             creator_id, created_at)
         values ($1, 'trust', $2, $3, $4, $5, false, $6, $7, $8, $9, $10)",
        it.trust.get(),
        organization,
        name,
        Role::from(it.role).name(),
        text(&it.scope),
        it.issuer,
        conditions,
        lifetime,
        it.creator.get(),
        column(it.at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn end(applied: &Applied, id: TokenId, rows: &mut PgConnection) -> Result<(), ApplyError> {
    let done =
        sqlx::query!("update tokens set ended_at = $2 where id = $1", id.get(), applied.at())
            .execute(rows)
            .await?;
    one_row(&done, "token")
}

fn text(scope: &TokenScope) -> String {
    serde_json::to_string(scope).expect("names and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wanted_event_is_in_the_catalogue() {
        let known: Vec<_> = Event::catalogue().map(|(name, _)| name).collect();
        assert!(WANTED.iter().all(|name| known.contains(name)));
    }
}
