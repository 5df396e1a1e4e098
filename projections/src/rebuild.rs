//! Building a projection anew beside the live one, and putting it in its place at once.

use std::time::Duration;

use keynest_store::ReadError;
use sqlx::migrate::MigrateError;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::sleep;

use crate::beside::Beside;
use crate::projection::Projection;
use crate::projections::Projections;
use crate::read_pool::READ_SCHEMA;
use crate::runner::{Progress, RunnerError};

/// Passes over what came in during the pass before, until one is short.
const CATCH_UP_PASSES_MAX: u32 = 20;
/// Tries to get all tables at once for the swap.
const SWAP_TRIES_MAX: u32 = 600;
/// Longest wait for one table. Shorter than Postgres waits before it looks for deadlocks, so it is
/// the swap that gives way and never a query.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '50ms'";
/// Pause between two tries.
const SWAP_PAUSE: Duration = Duration::from_millis(100);

/// Why a projection was not rebuilt. The live one is untouched then.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum RebuildError {
    #[error("there is no projection {name}")]
    Unknown { name: String },
    #[error("make the tables of the rebuilt projection")]
    Migrate(#[from] MigrateError),
    #[error("a newer binary has changed the tables of the read models; rebuild with that one")]
    NewerTables,
    #[error("replay the log")]
    Replay(#[from] RunnerError),
    #[error("read the log")]
    Log(#[from] ReadError),
    #[error("put the rebuilt tables in place")]
    Rows(#[from] sqlx::Error),
    #[error("too many rebuilds at the same time")]
    TooMany,
    #[error("queries never let go of the tables of {name} for long enough")]
    Contended { name: &'static str },
}

/// How far a rebuild has come, as stored positions: a ratio for a progress bar, not a count of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RebuildProgress {
    pub done: u64,
    pub total: u64,
}

impl Projections {
    /// Replays one projection from the start and swaps its tables for the live ones in one
    /// transaction. Queries go on throughout; a live runner finds its checkpoint moved and reads it again.
    pub async fn rebuild(
        &self,
        name: &str,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<(), RebuildError> {
        let beside = self.beside(name).await?;
        let rebuilt = self.replay_and_swap(&beside, progress).await;
        let dropped = beside.drop_schema(&self.read).await;
        rebuilt.and(dropped.map_err(RebuildError::from))
    }

    /// Rebuilds every projection, one after the other.
    pub async fn rebuild_all(
        &self,
        progress: &(dyn Fn(&'static str, RebuildProgress) + Send + Sync),
    ) -> Result<(), RebuildError> {
        for projection in &self.projections {
            let name = projection.name();
            self.rebuild(name, &|done| progress(name, done)).await?;
        }
        Ok(())
    }

    async fn replay_and_swap(
        &self,
        beside: &Beside,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<(), RebuildError> {
        let store = &self.store;
        let mut at = beside.runner.load().await?;
        for _ in 0..CATCH_UP_PASSES_MAX {
            if beside.replay(&mut at, store.head().await?, progress).await? <= 1 {
                break;
            }
        }
        for _ in 0..SWAP_TRIES_MAX {
            beside.replay(&mut at, store.head().await?, progress).await?;
            if self.swap(beside, &mut at, progress).await? {
                return Ok(());
            }
            sleep(SWAP_PAUSE).await;
        }
        Err(RebuildError::Contended { name: beside.runner.projection.name() })
    }

    /// Holds the live checkpoint, so that the live runner waits; goes on to where the head was then,
    /// which is as far as any query has seen; swaps. `false` when a query did not let go in time.
    async fn swap(
        &self,
        beside: &Beside,
        at: &mut Progress,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<bool, RebuildError> {
        let projection = &*beside.runner.projection;
        let mut tx = self.read.begin().await?;
        sqlx::query(LOCK_TIMEOUT).execute(&mut *tx).await?;
        let held = hold_checkpoint(projection, &mut tx).await;
        let Some(live_build) = unless_locked(held)? else { return Ok(false) };
        beside.replay(at, self.store.head().await?, progress).await?;
        beside.runner.flush(at).await?;
        let swapped = exchange(projection, &beside.schema, live_build + 1, &mut tx).await;
        if unless_locked(swapped)?.is_none() {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Locks the live checkpoint and answers its build; the first one if the projection has never run.
async fn hold_checkpoint(
    projection: &dyn Projection,
    tx: &mut PgConnection,
) -> Result<i32, sqlx::Error> {
    let build = sqlx::query_scalar!(
        "select build from checkpoints where name = $1 limit 1 for update",
        projection.name()
    )
    .fetch_optional(tx)
    .await?;
    Ok(build.unwrap_or(0))
}

/// Tables, checkpoint and parked streams of the copy become the live ones. Names of tables and
/// schemas are constants of this crate.
async fn exchange(
    projection: &dyn Projection,
    schema: &str,
    build: i32,
    tx: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    for table in projection.tables() {
        let statement = format!("lock table {READ_SCHEMA}.{table} in access exclusive mode");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    for table in projection.tables() {
        let statement = format!("drop table {READ_SCHEMA}.{table}");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
        let statement = format!("alter table {schema}.{table} set schema {READ_SCHEMA}");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    for (table, key) in [("checkpoints", "name"), ("parked", "projection")] {
        let statement = format!("delete from {READ_SCHEMA}.{table} where {key} = $1");
        sqlx::query(AssertSqlSafe(statement)).bind(projection.name()).execute(&mut *tx).await?;
        let statement = format!(
            "insert into {READ_SCHEMA}.{table} select * from {schema}.{table} where {key} = $1"
        );
        sqlx::query(AssertSqlSafe(statement)).bind(projection.name()).execute(&mut *tx).await?;
    }
    sqlx::query!("update checkpoints set build = $2 where name = $1", projection.name(), build)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// `None` when a lock was not to be had in time (`lock_not_available`).
fn unless_locked<T>(done: Result<T, sqlx::Error>) -> Result<Option<T>, sqlx::Error> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            let code = error.as_database_error().and_then(|database| database.code());
            if code.is_some_and(|code| code == "55P03") { Ok(None) } else { Err(error) }
        }
    }
}
