//! Who may see which rows: never by shared membership alone, always by the organization of the row (D3, D17).

use keynest_domain::{OrganizationId, RequestId, Timestamp, UserId};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::QueryError;
use crate::page::{Listed, Page};
use crate::personal_data::PERSONAL_ROWS_MAX;
use crate::projection::column;
use crate::queries::Queries;
use crate::reader::Reader;

/// Rows on all pages together: the newest ones (CONTRACT 4.3).
pub const AUDIT_ROWS_MAX: i64 = 1_000;

/// Which rows are asked for; empty fields ask for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AuditFilter {
    pub organization: Option<OrganizationId>,
    pub actor: Option<UserId>,
    /// Any of these.
    pub actions: Vec<String>,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// What happened, for a caller who may know.
#[derive(Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AuditRow {
    pub id: i64,
    pub organization: Option<OrganizationId>,
    pub actor: Option<UserId>,
    /// Of the actor, or of the account that it is about.
    pub user_name: String,
    pub user_email: String,
    pub action: String,
    pub target_type: String,
    pub target_id: String,
    pub details: Value,
    /// `ok`, `failed`, `refused`.
    pub outcome: String,
    pub ip_address: Option<String>,
    pub agent: Option<String>,
    pub request: Option<RequestId>,
    pub timestamp: Timestamp,
}

/// Personal data does not print.
impl std::fmt::Debug for AuditRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditRow")
            .field("id", &self.id)
            .field("action", &self.action)
            .field("target_type", &self.target_type)
            .finish_non_exhaustive()
    }
}

/// A row as the statement answers it.
struct Stored {
    id: i64,
    organization_id: Option<i64>,
    actor_id: Option<i64>,
    action: String,
    target_type: String,
    target_id: String,
    details: String,
    outcome: String,
    ip_address: Option<String>,
    agent: Option<String>,
    request_id: Option<Uuid>,
    recorded_at: OffsetDateTime,
    user_name: String,
    user_email: String,
    n: i64,
    total: i64,
}

impl Queries {
    /// The newest [`AUDIT_ROWS_MAX`] rows that the caller may see, newest first:
    /// those of organizations that the caller now audits (admin or editor); the caller's own deeds in
    /// organizations that the caller is a member of or that are deleted; and what happened to the
    /// caller's own account outside of organizations. A deleted organization has no auditors. A token sees the rows of organizations that are wholly in its
    /// reach, and nothing of its bearer's account.
    pub async fn list_audit(
        &self,
        reader: impl Into<Reader>,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Listed<AuditRow>, QueryError> {
        let reader = reader.into();
        let rows = sqlx::query_as!(
            Stored,
            r#"with allowed as (
                   select a.position from memberships m
                   join organizations o on o.id = m.organization_id
                   cross join lateral (
                       select a.position from audit_log a where a.organization_id = m.organization_id and
                       ($2::bigint is null or a.organization_id = $2) and ($3::bigint is null or a.actor_id = $3)
                       and (cardinality($4::text[]) = 0 or a.action = any($4)) and ($5::text is null or a.target_type = $5)
                       and ($6::text is null or a.target_id = $6) and ($7::timestamptz is null or a.recorded_at >= $7)
                       and ($8::timestamptz is null or a.recorded_at < $8)
                       and ($12::bigint[] is null or a.organization_id = any($12))
                       order by a.position desc limit $9) a
                   where m.user_id = $1 and m.role in ('admin', 'editor')
                       and read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $13::text::jsonb) in ('let_in', 'would_refuse')
                   union
                   (select a.position from audit_log a where a.actor_id = $1 and (a.organization_id is null
                       or exists (select from memberships m join organizations o on o.id = m.organization_id
                           where m.user_id = $1 and m.organization_id = a.organization_id
                           and read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $13::text::jsonb) in ('let_in', 'would_refuse'))
                       or not exists (select from organizations o where o.id = a.organization_id)) and
                       ($2::bigint is null or a.organization_id = $2) and ($3::bigint is null or a.actor_id = $3)
                       and (cardinality($4::text[]) = 0 or a.action = any($4)) and ($5::text is null or a.target_type = $5)
                       and ($6::text is null or a.target_id = $6) and ($7::timestamptz is null or a.recorded_at >= $7)
                       and ($8::timestamptz is null or a.recorded_at < $8)
                       and ($12::bigint[] is null or a.organization_id = any($12))
                       order by a.position desc limit $9)
                   union
                   (select a.position from audit_log a where a.account_id = $1 and a.organization_id is null and
                       ($2::bigint is null or a.organization_id = $2) and ($3::bigint is null or a.actor_id = $3)
                       and (cardinality($4::text[]) = 0 or a.action = any($4)) and ($5::text is null or a.target_type = $5)
                       and ($6::text is null or a.target_id = $6) and ($7::timestamptz is null or a.recorded_at >= $7)
                       and ($8::timestamptz is null or a.recorded_at < $8)
                       and ($12::bigint[] is null or a.organization_id = any($12))
                       order by a.position desc limit $9)),
               newest as (select position from allowed order by position desc limit $9),
               numbered as (select position, row_number() over (order by position desc) as n,
                                count(*) over () as total from newest)
               select a.id as "id!", a.organization_id, a.actor_id, a.action as "action!",
                   a.target_type as "target_type!", a.target_id as "target_id!", a.details::text as "details!",
                   a.outcome as "outcome!", a.ip_address, a.agent, a.request_id, a.recorded_at as "recorded_at!",
                   coalesce(u.full_name, (select t.name from tokens t where t.id = a.actor_id), '') as "user_name!", coalesce(u.email, '') as "user_email!",
                   n.n as "n!", n.total as "total!"
               from numbered n
               join audit_log a on a.position = n.position
               left join users u on u.id = coalesce(a.actor_id, a.account_id)
               where n.n = 1 or (n.n > $10 and n.n <= $11)
               order by n.n limit 1001"#,
            reader.user().get(),
            filter.organization.map(OrganizationId::get),
            filter.actor.map(UserId::get),
            &filter.actions,
            filter.target_type,
            filter.target_id,
            filter.from.map(column),
            filter.to.map(column),
            AUDIT_ROWS_MAX,
            page.before(),
            page.until(),
            reader.whole_organizations(),
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(rows, page, |row| (row.n, row.total), read)
    }
}

impl Queries {
    /// What a person did and what happened to the person's account, the newest first, for that person alone.
    /// Of organizations that the person has left or that do not let this reader in, only that it was done.
    pub async fn personal_audit(
        &self,
        reader: impl Into<Reader>,
    ) -> Result<Vec<AuditRow>, QueryError> {
        let reader = reader.into();
        let rows = sqlx::query_as!(
            Stored,
            r#"select a.id as "id!", a.organization_id, a.actor_id, a.action as "action!",
                   a.target_type as "target_type!", a.target_id as "target_id!", case when a.organization_id is null or read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $3::text::jsonb) in ('let_in', 'would_refuse') then a.details::text else '{}' end as "details!",
                   a.outcome as "outcome!", a.ip_address, a.agent, a.request_id, a.recorded_at as "recorded_at!",
                   coalesce(u.full_name, '') as "user_name!", coalesce(u.email, '') as "user_email!",
                   0::bigint as "n!", 0::bigint as "total!"
               from audit_log a left join users u on u.id = coalesce(a.actor_id, a.account_id)
                   left join memberships m on m.organization_id = a.organization_id and m.user_id = $1
                   left join organizations o on o.id = m.organization_id
               where a.actor_id = $1 or a.account_id = $1
               order by a.position desc limit $2"#,
            reader.user().get(),
            PERSONAL_ROWS_MAX,
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(read).collect()
    }
}

fn read(row: Stored) -> Result<AuditRow, QueryError> {
    let details = serde_json::from_str(&row.details)
        .map_err(|_| QueryError::Inconsistent { what: "audit details" })?;
    Ok(AuditRow {
        id: row.id,
        organization: row.organization_id.map(OrganizationId::new),
        actor: row.actor_id.map(UserId::new),
        user_name: row.user_name,
        user_email: row.user_email,
        action: row.action,
        target_type: row.target_type,
        target_id: row.target_id,
        details,
        outcome: row.outcome,
        ip_address: row.ip_address,
        agent: row.agent,
        request: row.request_id.map(RequestId::new),
        timestamp: row.recorded_at.into(),
    })
}
