//! Where the events of a caller's organizations stand in the log: the same scope as the audit log, without anybody's own deeds
//! elsewhere.

use keynest_domain::OrganizationId;
use keynest_store::Position;

use crate::checkpoint::stored;
use crate::error::QueryError;
use crate::queries::Queries;
use crate::reader::Reader;

/// A part of the feed of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPart {
    /// Whose events the caller may see now.
    pub organizations: Vec<OrganizationId>,
    /// Where they stand, in order; at most as many as were asked for.
    pub positions: Vec<Position>,
    /// Up to here nothing is missing, unless as many were found as were asked for.
    pub until: Position,
}

struct Stored {
    organizations: Vec<i64>,
    positions: Vec<i64>,
    until: i64,
}

impl Queries {
    /// The next positions behind one, at most `limit`, of events in organizations that the caller audits (admin or editor).
    /// A token sees organizations that are wholly in its reach. The feed stands still before an event that the audit log
    /// could not take in: nothing is ever passed by.
    pub async fn feed(
        &self,
        reader: impl Into<Reader>,
        organization: Option<OrganizationId>,
        after: Position,
        limit: u32,
    ) -> Result<FeedPart, QueryError> {
        let reader = reader.into();
        let part = sqlx::query_as!(
            Stored,
            r#"with audited as materialized (
                   select m.organization_id as id from memberships m join organizations o on o.id = m.organization_id
                   where m.user_id = $1 and m.role in ('admin', 'editor') and ($2::bigint is null or o.id = $2)
                       and ($3::bigint[] is null or o.id = any($3))
                       and read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $4::text::jsonb) in ('let_in', 'would_refuse')),
               reached as materialized (
                   select least(c.position, (select min(p.position) - 1 from parked p where p.projection = c.name)) as position
                   from checkpoints c where c.name = 'audit_log'),
               found as (
                   select a.position from audited o cross join reached r cross join lateral (
                       select a.position from audit_log a where a.organization_id = o.id and a.position > $5
                           and a.position <= r.position
                       order by a.position limit $6) a
                   order by a.position limit $6)
               select array(select id from audited order by id) as "organizations!",
                   array(select position from found order by position) as "positions!",
                   coalesce((select position from reached), 0) as "until!""#,
            reader.user().get(),
            organization.map(OrganizationId::get),
            reader.whole_organizations(),
            reader.who(),
            stored(after),
            i64::from(limit)
        )
        .fetch_one(self.read())
        .await?;
        let position = |it: i64| Position::from_stored(u64::try_from(it).unwrap_or_default());
        Ok(FeedPart {
            organizations: part.organizations.into_iter().map(OrganizationId::new).collect(),
            positions: part.positions.into_iter().map(position).collect(),
            until: position(part.until).max(after),
        })
    }
}
