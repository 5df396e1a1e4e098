//! Counters of all processes in Postgres.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keynest_domain::Timestamp;
use keynest_domain::limits::Quota;
use sqlx::postgres::PgPool;
use sqlx::{query, query_as};

use super::fault::unreadable;
use crate::port::ReadError;
use crate::quota::{QuotaKey, QuotaTable, Taken, micros, slot, stands};

/// Between two looks for rows that say nothing any more, in microseconds.
const PRUNE_EVERY: i64 = 60_000_000;
/// Rows that one look takes away.
const PRUNE_MAX: i64 = 10_000;

/// The table `store.quotas`. Clones share everything.
#[derive(Clone, Debug)]
pub struct PostgresQuotas(PgPool, Arc<AtomicI64>);

impl PostgresQuotas {
    /// On the `store` pool.
    pub fn new(pool: PgPool) -> Self {
        Self(pool, Arc::default())
    }

    /// One statement.
    pub(crate) async fn take(
        &self,
        policy: &'static str,
        key: QuotaKey,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Taken, ReadError> {
        let (is_within, used, oldest): (bool, i64, i64) = query_as(
            "select is_within, used, oldest from store.take_quota($1, $2, $3, $4, $5, $6)",
        )
        .bind(policy)
        .bind(key.fine.as_slice())
        .bind(i64::from(quota.quota))
        .bind(micros(quota))
        .bind(slot(quota, now.micros()))
        .bind(now.micros())
        .fetch_one(&self.0)
        .await
        .map_err(unreadable)?;
        self.prune(now).await?;
        let used = u64::try_from(used).unwrap_or(0);
        Ok(stands(quota, is_within, used, oldest, now.micros()))
    }

    /// Once a minute, whoever comes first.
    async fn prune(&self, now: Timestamp) -> Result<(), ReadError> {
        let last = self.1.load(Ordering::Relaxed);
        let is_due = now.micros() >= last + PRUNE_EVERY;
        let next = now.micros();
        if !is_due
            || self.1.compare_exchange(last, next, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return Ok(());
        }
        query(
            "delete from store.quotas where (policy, key) in (select policy, key from store.quotas \
             where until <= $1 order by until limit $2 for update skip locked) and until <= $1",
        )
        .bind(now.micros())
        .bind(PRUNE_MAX)
        .execute(&self.0)
        .await
        .map_err(unreadable)?;
        Ok(())
    }
}

impl From<PostgresQuotas> for QuotaTable {
    fn from(postgres: PostgresQuotas) -> Self {
        Self::Postgres(postgres)
    }
}
