//! Idempotency keys in Postgres.

use std::sync::Arc;

use keynest_domain::{CommandId, Timestamp};
use sqlx::postgres::PgPool;
use sqlx::{query, query_as};
use time::OffsetDateTime;
use uuid::Uuid;

use super::fault::unreadable;
use crate::idempotency::{Begun, IDEMPOTENCY_LIFETIME, IdempotencyTable, recognise};
use crate::port::ReadError;

/// How often a row is looked for that the janitor takes away each time.
const BEGIN_TRIES_MAX: u32 = 8;

/// The table `store.idempotency`.
#[derive(Clone, Debug)]
pub struct PostgresIdempotency(PgPool);

impl PostgresIdempotency {
    /// On the `store` pool, since a forgotten key would let a change happen twice.
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    pub(crate) async fn begin(
        &self,
        [actor, route, key]: [&str; 3],
        digest: &[u8],
        candidate: CommandId,
        now: Timestamp,
    ) -> Result<Begun, ReadError> {
        for _ in 0..BEGIN_TRIES_MAX {
            // An outdated row that the janitor has not met yet is taken over.
            let taken = query(
                "insert into store.idempotency (actor, route, key, body_digest, command_id, created_at) \
                 values ($1, $2, $3, $4, $5, $6) on conflict (actor, route, key) do update \
                 set body_digest = excluded.body_digest, command_id = excluded.command_id, \
                 created_at = excluded.created_at where idempotency.created_at <= $7",
            )
            .bind(actor)
            .bind(route)
            .bind(key)
            .bind(digest)
            .bind(candidate.get())
            .bind(OffsetDateTime::from(now))
            .bind(OffsetDateTime::from(now - IDEMPOTENCY_LIFETIME))
            .execute(&self.0)
            .await
            .map_err(unreadable)?;
            if taken.rows_affected() == 1 {
                return Ok(Begun::Fresh(candidate));
            }
            let known: Option<(Vec<u8>, Uuid)> = query_as(
                "select body_digest, command_id from store.idempotency where actor = $1 and route = $2 and key = $3",
            )
            .bind(actor)
            .bind(route)
            .bind(key)
            .fetch_optional(&self.0)
            .await
            .map_err(unreadable)?;
            if let Some((stored, command)) = known {
                return Ok(recognise(&stored, digest, CommandId::new(command)));
            }
        }
        Err(ReadError::Unavailable(Arc::new(sqlx::Error::RowNotFound)))
    }

    pub(crate) async fn prune(&self, before: Timestamp, limit: usize) -> Result<u64, ReadError> {
        let pruned = query(
            "delete from store.idempotency where (actor, route, key) in (select actor, route, key \
             from store.idempotency where created_at < $1 order by created_at limit $2) and created_at < $1",
        )
        .bind(OffsetDateTime::from(before))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&self.0)
        .await
        .map_err(unreadable)?;
        Ok(pruned.rows_affected())
    }
}

impl From<PostgresIdempotency> for IdempotencyTable {
    fn from(postgres: PostgresIdempotency) -> Self {
        Self::Postgres(postgres)
    }
}
