//! The work table and consumers' checkpoints, in Postgres for every carrier.

use keynest_domain::{EventId, Timestamp};
use keynest_store::{Incarnation, Position, Recorded};
use sqlx::PgPool;
use time::OffsetDateTime;

/// Dead letters listed at once, at most.
pub const DEAD_LETTERS_MAX: i64 = 1_000;

/// Work that was put off, or given up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Work {
    pub durable: String,
    pub position: Position,
    pub event_id: EventId,
    pub event_name: String,
    pub attempts: u32,
    pub error: String,
    pub created_at: Timestamp,
}

/// The tables, on the durable pool.
#[derive(Clone)]
pub struct WorkTable(PgPool);

impl WorkTable {
    /// On the `store` pool.
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Where a consumer stands; a new one starts at `head`, since effects are never replayed.
    pub async fn checkpoint(
        &self,
        durable: &str,
        incarnation: Incarnation,
        head: Position,
        now: Timestamp,
    ) -> Result<Position, sqlx::Error> {
        let row = sqlx::query!(
            "insert into consumers (durable, incarnation, position, moved_at) values ($1, $2, $3, $4)
             on conflict (durable) do update
             set position = case when consumers.incarnation = excluded.incarnation
                                 then consumers.position else excluded.position end,
                 incarnation = excluded.incarnation
             returning position",
            durable,
            incarnation.get(),
            stored(head),
            OffsetDateTime::from(now),
        )
        .fetch_one(&self.0)
        .await?;
        Ok(position(row.position))
    }

    /// Moves a checkpoint; `false` if somebody else moved it meanwhile.
    pub async fn advance(
        &self,
        durable: &str,
        from: Position,
        to: Position,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query!(
            "update consumers set position = $3, moved_at = $4 where durable = $1 and position = $2",
            durable,
            stored(from),
            stored(to),
            OffsetDateTime::from(now),
        )
        .execute(&self.0)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Puts an event off until a time, or gives it up for good when there is none.
    pub async fn put_off(
        &self,
        durable: &str,
        recorded: &Recorded,
        attempts: u32,
        due_at: Option<Timestamp>,
        error: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "insert into work (durable, position, event_id, event_name, attempts, due_at, error, is_dead, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (durable, event_id) do update
             set attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error,
                 is_dead = excluded.is_dead",
            durable,
            stored(recorded.position),
            recorded.event_id.get(),
            &*recorded.name,
            i32::try_from(attempts).unwrap_or(i32::MAX),
            OffsetDateTime::from(due_at.unwrap_or(now)),
            error,
            due_at.is_none(),
            OffsetDateTime::from(now),
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Work of a consumer that is due, oldest first.
    pub async fn due(
        &self,
        durable: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Work>, sqlx::Error> {
        let rows = sqlx::query!(
            "select durable, position, event_id, event_name, attempts, error, created_at from work
             where durable = $1 and not is_dead and due_at <= $2 order by due_at, position limit $3",
            durable,
            OffsetDateTime::from(now),
            limit,
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Work {
                durable: row.durable,
                position: position(row.position),
                event_id: EventId::new(row.event_id),
                event_name: row.event_name,
                attempts: u32::try_from(row.attempts).unwrap_or(0),
                error: row.error,
                created_at: row.created_at.into(),
            })
            .collect())
    }

    /// The event was handled after all.
    pub async fn finish(&self, durable: &str, event_id: EventId) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "delete from work where durable = $1 and event_id = $2",
            durable,
            event_id.get()
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// What was given up, oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<Work>, sqlx::Error> {
        let rows = sqlx::query!(
            "select durable, position, event_id, event_name, attempts, error, created_at from work
             where is_dead order by position, durable limit $1",
            DEAD_LETTERS_MAX,
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Work {
                durable: row.durable,
                position: position(row.position),
                event_id: EventId::new(row.event_id),
                event_name: row.event_name,
                attempts: u32::try_from(row.attempts).unwrap_or(0),
                error: row.error,
                created_at: row.created_at.into(),
            })
            .collect())
    }

    /// Makes dead letters due again with all their tries; one event's or all. Answers how many.
    pub async fn replay(
        &self,
        event_id: Option<EventId>,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let replayed = sqlx::query!(
            "update work set is_dead = false, attempts = 0, due_at = $2
             where is_dead and ($1::uuid is null or event_id = $1)",
            event_id.map(EventId::get),
            OffsetDateTime::from(now),
        )
        .execute(&self.0)
        .await?;
        Ok(replayed.rows_affected())
    }

    /// How many pieces of work wait and how many were given up.
    pub async fn counts(&self) -> Result<(i64, i64), sqlx::Error> {
        let row = sqlx::query!(
            r#"select count(*) filter (where not is_dead) as "waiting!", count(*) filter (where is_dead) as "dead!"
               from work"#
        )
        .fetch_one(&self.0)
        .await?;
        Ok((row.waiting, row.dead))
    }
}

fn stored(position: Position) -> i64 {
    i64::try_from(position.to_stored()).unwrap_or(i64::MAX)
}

fn position(stored: i64) -> Position {
    Position::from_stored(u64::try_from(stored).unwrap_or(0))
}
