//! What was sent for which event: a row before sending, so that a repeat knows (DESIGN 7).

use keynest_domain::{EventId, Timestamp};
use sqlx::PgPool;
use time::OffsetDateTime;

/// What is known of an effect that is about to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It may have happened, if a process died in between; under this id, for the other side to recognise.
    Open(String),
    /// It happened.
    Done,
    /// The other side said no for good.
    Refused,
}

/// The table, on the durable pool.
#[derive(Clone)]
pub struct Effects(PgPool);

impl Effects {
    /// On the `store` pool.
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Records that an effect is about to happen, unless it is over.
    pub async fn begin(
        &self,
        event: EventId,
        kind: &str,
        recipient: &str,
        message_id: &str,
        now: Timestamp,
    ) -> Result<Begun, sqlx::Error> {
        let row = sqlx::query!(
            r#"insert into effects (event_id, kind, recipient, message_id, started_at) values ($1, $2, $3, $4, $5)
             on conflict (event_id, kind, recipient) do update set started_at = effects.started_at
             returning message_id, done_at is not null as "is_done!", refused_at is not null as "is_refused!""#,
            event.get(),
            kind,
            recipient,
            message_id,
            OffsetDateTime::from(now),
        )
        .fetch_one(&self.0)
        .await?;
        Ok(match (row.is_done, row.is_refused) {
            (true, _) => Begun::Done,
            (false, true) => Begun::Refused,
            (false, false) => Begun::Open(row.message_id),
        })
    }

    /// Records that it happened.
    pub async fn finish(
        &self,
        event: EventId,
        kind: &str,
        recipient: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "update effects set done_at = $4 where event_id = $1 and kind = $2 and recipient = $3",
            event.get(),
            kind,
            recipient,
            OffsetDateTime::from(now),
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Records that it never will.
    pub async fn refuse(
        &self,
        event: EventId,
        kind: &str,
        recipient: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "update effects set refused_at = $4 where event_id = $1 and kind = $2 and recipient = $3",
            event.get(),
            kind,
            recipient,
            OffsetDateTime::from(now),
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Forgets at most `limit` effects that began before a time, oldest first. Answers how many. What still waits or may
    /// be replayed keeps its effects, or its letters would go out twice.
    pub async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, sqlx::Error> {
        let pruned = sqlx::query!(
            "delete from effects where (event_id, kind, recipient) in
             (select event_id, kind, recipient from effects e where started_at < $1
              and not exists (select 1 from work where work.event_id = e.event_id)
              order by started_at limit $2)",
            OffsetDateTime::from(before),
            i64::from(limit),
        )
        .execute(&self.0)
        .await?;
        Ok(pruned.rows_affected())
    }
}
