//! A copy of the read schema, in which one projection is replayed while the live one goes on.

use keynest_store::postgres::{Steps, take_steps, taken_steps};
use keynest_store::{Position, ReadError, Recorded};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::task::AbortOnDropHandle;

use crate::projections::Projections;
use crate::read_pool::{MIGRATOR, within};
use crate::rebuild::{RebuildError, RebuildProgress};
use crate::runner::{BATCH_EVENTS_MAX, Progress, Runner};

/// The schemas of rebuilds, before their number.
const BESIDE: &str = "read_rebuild_";
/// Rebuilds at the same time.
const REBUILDS_MAX: u32 = 100;

/// A copy of the read schema in which one projection is replayed.
pub(crate) struct Beside {
    pub schema: String,
    pub runner: Runner,
}

impl Projections {
    /// Makes an empty copy of the read schema for one projection.
    pub(crate) async fn beside(&self, name: &str) -> Result<Beside, RebuildError> {
        let projection = self.projections.iter().find(|known| known.name() == name);
        let projection =
            projection.ok_or_else(|| RebuildError::Unknown { name: name.to_owned() })?;
        let steps = self.live_steps().await?;
        self.drop_left_behind().await?;
        let (schema, rows) = self.new_schema().await?;
        let live = self.runner(projection);
        let beside = Beside { schema, runner: Runner { rows, visibility: None, ..live } };
        let mut connection = beside.runner.rows.acquire().await?;
        if let Err(error) = take_steps(&mut connection, &MIGRATOR, &steps).await {
            drop(connection);
            beside.drop_schema(&self.read).await?;
            return Err(error.into());
        }
        drop(connection);
        Ok(beside)
    }

    /// What the live tables have gone through: those that take their place are to be the same, also for other binaries
    /// that are at work.
    async fn live_steps(&self) -> Result<Steps, RebuildError> {
        let mut live = self.read.acquire().await?;
        let (taken, is_newer) = taken_steps(&mut live, &MIGRATOR).await?;
        if is_newer { Err(RebuildError::NewerTables) } else { Ok(Steps::Same(taken)) }
    }

    /// A schema of its own for one rebuild. Its only connection holds a lock on its name, which says
    /// that the rebuild is alive.
    async fn new_schema(&self) -> Result<(String, PgPool), RebuildError> {
        for number in 1..=REBUILDS_MAX {
            let schema = format!("{BESIDE}{number}");
            let options = within(self.read.connect_options().as_ref().clone(), &schema);
            let one = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
            let rows = one.connect_with(options).await?;
            let is_mine = sqlx::query_scalar!(
                r#"select pg_try_advisory_lock(hashtext($1))
                       and not exists (select from pg_namespace where nspname = $1) as "is_mine!""#,
                schema
            )
            .fetch_one(&rows)
            .await?;
            if is_mine {
                let statement = format!("create schema {schema}");
                sqlx::query(AssertSqlSafe(statement)).execute(&rows).await?;
                return Ok((schema, rows));
            }
            rows.close().await;
        }
        Err(RebuildError::TooMany)
    }

    /// Throws away what rebuilds left behind whose process has died.
    async fn drop_left_behind(&self) -> Result<(), sqlx::Error> {
        let schemas = sqlx::query_scalar!(
            r#"select nspname::text as "schema!" from pg_namespace
               where nspname ~ ('^' || $1 || '[0-9]+$') order by 1 limit 1000"#,
            BESIDE
        )
        .fetch_all(&self.read)
        .await?;
        for schema in schemas {
            let mut tx = self.read.begin().await?;
            let is_dead = sqlx::query_scalar!(
                r#"select pg_try_advisory_xact_lock(hashtext($1)) as "is_dead!""#,
                schema
            )
            .fetch_one(&mut *tx)
            .await?;
            if is_dead {
                drop_if_exists(&schema, &mut tx).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Beside {
    /// Goes on to a position and answers in how many batches. A log that grows meanwhile is not followed.
    pub async fn replay(
        &self,
        at: &mut Progress,
        until: Position,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<u32, RebuildError> {
        let mut batches = 0;
        let mut ahead = self.read_ahead(at.seen);
        while at.seen < until {
            let mut batch =
                ahead.await.expect("a read does not panic, and ends with its handle")?;
            batch.retain(|event| event.position <= until);
            let Some(last) = batch.last() else { break };
            ahead = self.read_ahead(last.position);
            self.runner.take(at, &batch).await?;
            batches += 1;
            let (done, total) = (at.seen.to_stored(), until.to_stored());
            progress(RebuildProgress { done, total });
        }
        Ok(batches)
    }

    /// The next events, while the rows of those before are written.
    fn read_ahead(&self, after: Position) -> AbortOnDropHandle<Result<Vec<Recorded>, ReadError>> {
        let store = self.runner.store.clone();
        let read = async move { store.read_all(after, BATCH_EVENTS_MAX).await };
        AbortOnDropHandle::new(tokio::spawn(read))
    }

    /// Throws the copy away.
    pub async fn drop_schema(&self, read: &PgPool) -> Result<(), sqlx::Error> {
        self.runner.rows.close().await;
        let mut tx = read.begin().await?;
        // Somebody who sweeps up may be at it too.
        sqlx::query!("select pg_advisory_xact_lock(hashtext($1))", self.schema)
            .execute(&mut *tx)
            .await?;
        drop_if_exists(&self.schema, &mut tx).await?;
        tx.commit().await
    }
}

/// The name is [`BESIDE`] and a number.
async fn drop_if_exists(schema: &str, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    let statement = format!("drop schema if exists {schema} cascade");
    sqlx::query(AssertSqlSafe(statement)).execute(tx).await.map(|_| ())
}
