//! What was sent for which event: a row before sending, so that a repeat knows (DESIGN 7).

use keynest_domain::{EventId, Timestamp};
use sqlx::PgPool;
use time::OffsetDateTime;

/// The table, on the durable pool.
#[derive(Clone)]
pub struct Effects(PgPool);

impl Effects {
    /// On the `store` pool.
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Records that an effect is about to happen; `false` if it happened before.
    pub async fn begin(
        &self,
        event: EventId,
        kind: &str,
        recipient: &str,
        message_id: &str,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let row = sqlx::query!(
            r#"insert into effects (event_id, kind, recipient, message_id, started_at) values ($1, $2, $3, $4, $5)
             on conflict (event_id, kind, recipient) do update set started_at = effects.started_at
             returning done_at is null as "is_open!""#,
            event.get(),
            kind,
            recipient,
            message_id,
            OffsetDateTime::from(now),
        )
        .fetch_one(&self.0)
        .await?;
        Ok(row.is_open)
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

    /// Forgets effects that began before a time; the longest retry is over long before. Answers how many.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, sqlx::Error> {
        let pruned =
            sqlx::query!("delete from effects where started_at < $1", OffsetDateTime::from(before))
                .execute(&self.0)
                .await?;
        Ok(pruned.rows_affected())
    }
}
