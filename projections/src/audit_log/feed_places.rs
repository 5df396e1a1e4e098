//! The feed as numbers tell places in it: backwards, and how many of the caller's events were recorded at the same moment before one.

use keynest_store::Position;

use crate::checkpoint::stored;
use crate::error::QueryError;
use crate::queries::Queries;
use crate::reader::Reader;

/// Where an event of the caller's stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPlace {
    /// In the log.
    pub position: Position,
    /// Events of the caller's that were recorded at the same moment before it. Those of others are not counted: positions
    /// tell how busy they are.
    pub earlier: u64,
}

struct Stored {
    position: i64,
    earlier: i64,
}

impl Queries {
    /// Which of these positions are of events in organizations that the caller audits, as [`Queries::feed`] has it, in order.
    pub async fn feed_places(
        &self,
        reader: impl Into<Reader>,
        positions: &[Position],
    ) -> Result<Vec<FeedPlace>, QueryError> {
        let reader = reader.into();
        let positions: Vec<i64> = positions.iter().map(|it| stored(*it)).collect();
        let found = sqlx::query_as!(
            Stored,
            r#"with audited as materialized (
                   select m.organization_id as id from memberships m join organizations o on o.id = m.organization_id
                   where m.user_id = $1 and m.role in ('admin', 'editor') and ($2::bigint[] is null or o.id = any($2))
                       and read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $3::text::jsonb) in ('let_in', 'would_refuse')),
               reached as materialized (
                   select least(c.position, (select min(p.position) - 1 from parked p where p.projection = c.name)) as position
                   from checkpoints c where c.name = 'audit_log')
               select a.position as "position!", (
                   select count(*) from audit_log b
                   where b.position < a.position and b.organization_id in (select id from audited) and b.position > coalesce((
                       select c.position from audit_log c where c.position < a.position and c.recorded_at < a.recorded_at
                       order by c.position desc limit 1), 0)) as "earlier!"
               from audit_log a cross join reached r
               where a.position = any($4) and a.position <= r.position and a.organization_id in (select id from audited)
               order by a.position limit $5"#,
            reader.user().get(),
            reader.whole_organizations(),
            reader.who(),
            &positions,
            i64::try_from(positions.len()).unwrap_or(i64::MAX)
        )
        .fetch_all(self.read())
        .await?;
        let place = |it: Stored| FeedPlace {
            position: position(it.position),
            earlier: u64::try_from(it.earlier).unwrap_or_default(),
        };
        Ok(found.into_iter().map(place).collect())
    }

    /// The positions in front of one, the latest first, as [`Queries::feed`] has those behind it.
    pub async fn feed_before(
        &self,
        reader: impl Into<Reader>,
        before: Position,
        limit: u32,
    ) -> Result<Vec<Position>, QueryError> {
        let reader = reader.into();
        let found = sqlx::query_scalar!(
            r#"with audited as materialized (
                   select m.organization_id as id from memberships m join organizations o on o.id = m.organization_id
                   where m.user_id = $1 and m.role in ('admin', 'editor') and ($2::bigint[] is null or o.id = any($2))
                       and read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $3::text::jsonb) in ('let_in', 'would_refuse')),
               reached as materialized (
                   select least(c.position, (select min(p.position) - 1 from parked p where p.projection = c.name)) as position
                   from checkpoints c where c.name = 'audit_log')
               select a.position as "position!" from audited o cross join reached r cross join lateral (
                   select a.position from audit_log a where a.organization_id = o.id and a.position < $4 and a.position <= r.position
                   order by a.position desc limit $5) a
               order by a.position desc limit $5"#,
            reader.user().get(),
            reader.whole_organizations(),
            reader.who(),
            stored(before),
            i64::from(limit)
        )
        .fetch_all(self.read())
        .await?;
        Ok(found.into_iter().map(position).collect())
    }
}

fn position(stored: i64) -> Position {
    Position::from_stored(u64::try_from(stored).unwrap_or_default())
}
