//! The work table and consumers' checkpoints, in Postgres for every carrier.

use std::sync::Arc;

use keynest_domain::{EventId, Timestamp};
use keynest_store::{Incarnation, Position};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

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
    /// When it is tried next; of a dead letter, when it died.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
}

/// An event that could not be handled, on its way into the table.
pub(crate) struct PutOff {
    pub position: Position,
    pub event_id: EventId,
    pub event_name: Arc<str>,
    /// Tries so far.
    pub attempts: u32,
    /// `None` makes it a dead letter.
    pub due_at: Option<Timestamp>,
    pub error: String,
    pub at: Timestamp,
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

    /// Where a consumer stands in this life of the log; `None` before its first start.
    pub async fn place(
        &self,
        durable: &str,
        incarnation: Incarnation,
    ) -> Result<Option<Position>, sqlx::Error> {
        let found = sqlx::query_scalar!(
            "select position from consumers where durable = $1 and incarnation = $2 limit 1",
            durable,
            incarnation.get()
        )
        .fetch_optional(&self.0)
        .await?;
        Ok(found.map(position))
    }

    /// Where the consumer stands that is furthest behind in this life of the log; `None` if there is none.
    pub(crate) async fn lowest(
        &self,
        incarnation: Incarnation,
    ) -> Result<Option<Position>, sqlx::Error> {
        let found = sqlx::query_scalar!(
            "select min(position) from consumers where incarnation = $1",
            incarnation.get()
        )
        .fetch_one(&self.0)
        .await?;
        Ok(found.map(position))
    }

    /// Moves a checkpoint, and with it what failed into the table: both or none. `false` if somebody else moved the
    /// checkpoint meanwhile.
    pub(crate) async fn settle(
        &self,
        durable: &str,
        from: Position,
        to: Position,
        put_off: Option<&PutOff>,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let mut rows = self.0.begin().await?;
        let moved = sqlx::query!(
            "update consumers set position = $3, moved_at = $4 where durable = $1 and position = $2",
            durable,
            stored(from),
            stored(to),
            OffsetDateTime::from(now),
        )
        .execute(&mut *rows)
        .await?;
        if moved.rows_affected() != 1 {
            return Ok(false);
        }
        if let Some(put_off) = put_off {
            insert(durable, put_off, &mut rows).await?;
        }
        rows.commit().await?;
        Ok(true)
    }

    /// Puts work off once more, or gives it up.
    pub(crate) async fn put_off_again(
        &self,
        durable: &str,
        put_off: &PutOff,
    ) -> Result<(), sqlx::Error> {
        let mut rows = self.0.acquire().await?;
        insert(durable, put_off, &mut rows).await
    }

    /// Work of a consumer that is due, oldest first.
    pub async fn due(
        &self,
        durable: &str,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Work>, sqlx::Error> {
        let rows = sqlx::query_as!(
            Row,
            "select durable, position, event_id, event_name, attempts, error, due_at, created_at from work
             where durable = $1 and not is_dead and due_at <= $2 order by due_at, position limit $3",
            durable,
            OffsetDateTime::from(now),
            limit,
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows.into_iter().map(Work::from).collect())
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
        let rows = sqlx::query_as!(
            Row,
            "select durable, position, event_id, event_name, attempts, error, due_at, created_at from work
             where is_dead order by position, durable limit $1",
            DEAD_LETTERS_MAX,
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows.into_iter().map(Work::from).collect())
    }

    /// Makes dead letters due again with all their tries; one event's or all. What was refused for good is tried again
    /// too, what was done is not. Answers how many.
    pub async fn replay(
        &self,
        event_id: Option<EventId>,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let event_id = event_id.map(EventId::get);
        let mut rows = self.0.begin().await?;
        sqlx::query!(
            "update effects set refused_at = null where refused_at is not null and event_id in
             (select event_id from work where is_dead and ($1::uuid is null or event_id = $1))",
            event_id,
        )
        .execute(&mut *rows)
        .await?;
        let replayed = sqlx::query!(
            "update work set is_dead = false, attempts = 0, due_at = $2
             where is_dead and ($1::uuid is null or event_id = $1)",
            event_id,
            OffsetDateTime::from(now),
        )
        .execute(&mut *rows)
        .await?;
        rows.commit().await?;
        Ok(replayed.rows_affected())
    }

    /// How many pieces of work of a consumer wait, and how many were given up.
    pub async fn counts(&self, durable: &str) -> Result<(i64, i64), sqlx::Error> {
        let row = sqlx::query!(
            r#"select count(*) filter (where not is_dead) as "waiting!", count(*) filter (where is_dead) as "dead!"
               from work where durable = $1"#,
            durable,
        )
        .fetch_one(&self.0)
        .await?;
        Ok((row.waiting, row.dead))
    }
}

struct Row {
    durable: String,
    position: i64,
    event_id: Uuid,
    event_name: String,
    attempts: i32,
    error: String,
    due_at: OffsetDateTime,
    created_at: OffsetDateTime,
}

impl From<Row> for Work {
    fn from(row: Row) -> Self {
        Self {
            durable: row.durable,
            position: position(row.position),
            event_id: EventId::new(row.event_id),
            event_name: row.event_name,
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            error: row.error,
            due_at: row.due_at.into(),
            created_at: row.created_at.into(),
        }
    }
}

async fn insert(
    durable: &str,
    put_off: &PutOff,
    rows: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into work (durable, position, event_id, event_name, attempts, due_at, error, is_dead, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (durable, event_id) do update
         set attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error,
             is_dead = excluded.is_dead",
        durable,
        stored(put_off.position),
        put_off.event_id.get(),
        &*put_off.event_name,
        i32::try_from(put_off.attempts).unwrap_or(i32::MAX),
        OffsetDateTime::from(put_off.due_at.unwrap_or(put_off.at)),
        put_off.error,
        put_off.due_at.is_none(),
        OffsetDateTime::from(put_off.at),
    )
    .execute(rows)
    .await?;
    Ok(())
}

fn stored(position: Position) -> i64 {
    i64::try_from(position.to_stored()).unwrap_or(i64::MAX)
}

fn position(stored: i64) -> Position {
    Position::from_stored(u64::try_from(stored).unwrap_or(0))
}
