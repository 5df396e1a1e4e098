//! The living tokens of an owner, and one token by its digest or number.

use keynest_domain::{OrganizationId, Timestamp, TokenId, TokenScope, UserId};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::error::QueryError;
use crate::personal_data::{PERSONAL_ROWS_MAX, PersonalToken};
use crate::queries::{Queries, count, role};
use crate::tokens::{TokenRow, TokenStanding, TrustTerms};

/// Tokens in one answer; above what any configuration allows.
pub const TOKENS_LISTED_MAX: i64 = 10_000;

struct Stored {
    id: i64,
    name: Option<String>,
    role: Option<String>,
    scope: String,
    ranges: Option<String>,
    issuer: Option<String>,
    conditions: Option<String>,
    lifetime_minutes: Option<i32>,
    created_by_name: String,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
}

struct Checked {
    id: i64,
    user_id: Option<i64>,
    organization_id: Option<i64>,
    scope: String,
    is_bound: bool,
    ranges: Option<String>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    is_ended: bool,
    is_owner_active: bool,
}

impl Queries {
    /// The personal tokens of an account that were not ended, the newest first.
    pub async fn personal_tokens(&self, user: UserId) -> Result<Vec<TokenRow>, QueryError> {
        self.tokens("personal", Some(user), None).await
    }

    /// The tokens of an organization that were not ended, the newest first. Whoever asks was authorised.
    pub async fn service_tokens(&self, of: OrganizationId) -> Result<Vec<TokenRow>, QueryError> {
        self.tokens("service", None, Some(of)).await
    }

    /// The rules of an organization for tokens of other issuers, the newest first. Whoever asks was authorised.
    pub async fn trusts(&self, of: OrganizationId) -> Result<Vec<TokenRow>, QueryError> {
        self.tokens("trust", None, Some(of)).await
    }

    /// Every personal and service token that was not ended, for the end of a restore.
    pub async fn living_tokens(&self) -> Result<Vec<TokenId>, QueryError> {
        let ids = sqlx::query_scalar!(
            "select id from tokens where kind in ('personal', 'service') and ended_at is null order by id limit $1",
            i64::MAX
        )
        .fetch_all(self.read())
        .await?;
        Ok(ids.into_iter().map(TokenId::new).collect())
    }

    /// Every personal token that an account ever made, the newest first, for the copy of its data.
    pub async fn all_personal_tokens(
        &self,
        user: UserId,
    ) -> Result<Vec<PersonalToken>, QueryError> {
        let rows = sqlx::query!(
            "select t.id, t.name, t.scope, t.ranges, t.created_at, t.expires_at, t.ended_at
             from tokens t where t.user_id = $1 order by t.id desc limit $2",
            user.get(),
            PERSONAL_ROWS_MAX
        )
        .fetch_all(self.read())
        .await?;
        let token = rows.into_iter().map(|row| {
            let ended_at = row.ended_at.map(Timestamp::from);
            let row = read(Stored {
                id: row.id,
                name: row.name,
                role: None,
                scope: row.scope,
                ranges: row.ranges,
                issuer: None,
                conditions: None,
                lifetime_minutes: None,
                created_by_name: String::new(),
                created_at: row.created_at,
                expires_at: row.expires_at,
            })?;
            Ok(PersonalToken { row, ended_at })
        });
        token.collect()
    }

    async fn tokens(
        &self,
        kind: &str,
        user: Option<UserId>,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<TokenRow>, QueryError> {
        let rows = sqlx::query_as!(
            Stored,
            r#"select t.id, t.name, t.role, t.scope, t.ranges, t.issuer, t.conditions, t.lifetime_minutes,
                   coalesce(u.full_name, '') as "created_by_name!", t.created_at, t.expires_at
               from tokens t left join users u on u.id = t.creator_id
               where t.kind = $1 and t.ended_at is null
                   and (t.user_id = $2 or t.organization_id = $3)
               order by t.id desc limit $4"#,
            kind,
            user.map(UserId::get),
            organization.map(OrganizationId::get),
            TOKENS_LISTED_MAX
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// The token whose text has this digest, ended ones too.
    pub async fn token_by_digest(&self, digest: &str) -> Result<Option<TokenStanding>, QueryError> {
        self.token_standing(Some(digest), None).await
    }

    /// The rule with this number, ended ones too.
    pub async fn trust_standing(&self, id: TokenId) -> Result<Option<TokenStanding>, QueryError> {
        self.token_standing(None, Some(id)).await
    }

    async fn token_standing(
        &self,
        digest: Option<&str>,
        trust: Option<TokenId>,
    ) -> Result<Option<TokenStanding>, QueryError> {
        let row = sqlx::query_as!(
            Checked,
            r#"select t.id, t.user_id, t.organization_id, t.scope, t.is_bound, t.ranges, t.created_at, t.expires_at,
                   t.ended_at is not null as "is_ended!",
                   (t.user_id is null or coalesce(u.standing = 'active', false)) as "is_owner_active!"
               from tokens t left join users u on u.id = t.user_id
               where (t.digest = $1 or (t.id = $2 and t.kind = 'trust')) order by t.id limit 1"#,
            digest,
            trust.map(TokenId::get)
        )
        .fetch_optional(self.read())
        .await?;
        row.map(checked).transpose()
    }
}

fn read(row: Stored) -> Result<TokenRow, QueryError> {
    let trust = match (row.issuer, row.lifetime_minutes) {
        (Some(issuer), Some(minutes)) => Some(TrustTerms {
            issuer,
            conditions: row.conditions.as_deref().map_or_else(|| Ok(Vec::new()), json)?,
            lifetime_minutes: count(i64::from(minutes)),
        }),
        _ => None,
    };
    Ok(TokenRow {
        id: TokenId::new(row.id),
        name: row.name.unwrap_or_default(),
        role: row.role.as_deref().map(role).transpose()?,
        scope: json::<TokenScope>(&row.scope)?,
        ranges: row.ranges.as_deref().map_or_else(|| Ok(Vec::new()), json)?,
        trust,
        created_by_name: row.created_by_name,
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Timestamp::from),
    })
}

fn checked(row: Checked) -> Result<TokenStanding, QueryError> {
    let ranges = row.ranges.as_deref().map(json::<Vec<String>>).transpose()?;
    Ok(TokenStanding {
        id: TokenId::new(row.id),
        actor: UserId::new(row.user_id.unwrap_or(row.id)),
        organization: row.organization_id.map(OrganizationId::new),
        scope: json(&row.scope)?,
        // Bound to networks that nobody can read any more: from nowhere.
        ranges: row.is_bound.then(|| ranges.unwrap_or_default()),
        created_at: row.created_at.into(),
        expires_at: row.expires_at.map(Timestamp::from),
        is_ended: row.is_ended,
        is_owner_active: row.is_owner_active,
    })
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, QueryError> {
    serde_json::from_str(text).map_err(|_| QueryError::Inconsistent { what: "token" })
}
