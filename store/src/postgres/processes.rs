//! The processes at work: each announces which format level its binary knows, and the level of the log is raised only
//! when all of them know it (docs/decisions/0100).

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Postgres as Database, Transaction};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use uuid::Uuid;

use super::fault::unavailable;
use super::silence::answered;
use super::{OpenError, Postgres};
use crate::format::{FormatLevel, Levels};
use crate::port::{Append, AppendError};

/// Between two heartbeats, and the longest time until a process hears that the level was raised.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// A process that was silent for so long, by the database's clock, is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(30);
/// Whoever starts and whoever raises the level take turns.
const LEVEL_LOCK: i64 = 0x6b65_796e_6573_7402;

/// What a process says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Introduction {
    pub part: String,
    pub version: String,
    pub host: String,
}

/// A process at work, as its last heartbeat says.
#[derive(Clone, Debug, sqlx::FromRow)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Process {
    pub part: String,
    pub version: String,
    pub host: String,
    #[sqlx(try_from = "i32")]
    pub format_level: FormatLevel,
    pub seconds_unseen: f64,
}

/// The announcement of this process: it stands until this is dropped, and then for [`GONE_AFTER`], unless it is taken back.
#[derive(Debug)]
pub struct Presence {
    pool: PgPool,
    id: Uuid,
    beats: AbortHandle,
}

/// Why the level was not raised.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum RaiseError {
    #[error("look at the processes at work")]
    Unavailable(#[from] sqlx::Error),
    #[error("older binaries are at work")]
    Behind(Vec<Process>),
}

impl From<i32> for FormatLevel {
    fn from(level: i32) -> Self {
        Self::from_stored(level)
    }
}

impl Postgres {
    /// Says that this process is at work, again and again. Refused where the log has come further than its binary.
    pub async fn announce(&self, introduction: Introduction) -> Result<Presence, OpenError> {
        let (pool, levels) = (self.pool().clone(), Arc::clone(self.levels()));
        let id =
            enter(&pool, &levels, &introduction, None).await.map_err(OpenError::Unavailable)?;
        let Some(id) = id else {
            let (log, highest) = (levels.current(), levels.format.highest);
            return Err(OpenError::FormatLevel { log, highest });
        };
        let beats = tokio::spawn(beat(pool.clone(), levels, introduction, id)).abort_handle();
        Ok(Presence { pool, id, beats })
    }

    /// The processes that are not gone, longest silent first.
    pub async fn processes(&self) -> Result<Vec<Process>, sqlx::Error> {
        at_work(&mut *self.pool().acquire().await?).await
    }

    /// Raises the level of the log to the highest that this binary knows, if all processes at work know it. Answers the
    /// level before and after.
    pub async fn raise_level(&self) -> Result<(FormatLevel, FormatLevel), RaiseError> {
        let highest = self.levels().format.highest;
        let mut turn = turn(self.pool()).await?;
        let behind: Vec<Process> = at_work(&mut turn)
            .await?
            .into_iter()
            .filter(|process| process.format_level < highest)
            .collect();
        if !behind.is_empty() {
            return Err(RaiseError::Behind(behind));
        }
        let before = level(&mut turn).await?;
        sqlx::query("update store.log set format_level = $1 where format_level < $1")
            .bind(i32::from(highest.0))
            .execute(&mut *turn)
            .await?;
        turn.commit().await?;
        self.levels().heard(highest);
        Ok((before, before.max(highest)))
    }

    /// The level of the log as it is now, and the highest that this binary knows.
    pub async fn level(&self) -> Result<(FormatLevel, FormatLevel), sqlx::Error> {
        let log = level(&mut *self.pool().acquire().await?).await?;
        self.levels().heard(log);
        Ok((log, self.levels().format.highest))
    }

    /// See [`crate::EventStore::overtaken`].
    pub(crate) fn overtaken(&self) -> Option<(FormatLevel, FormatLevel)> {
        let (log, highest) = (self.levels().current(), self.levels().format.highest);
        (log > highest).then_some((log, highest))
    }

    /// The append in shapes that every process at work can read. The log is asked before anything is refused.
    pub(crate) async fn fit(&self, append: Append) -> Result<Append, AppendError> {
        if self.levels().allow(&append) {
            return Ok(append);
        }
        self.level().await.map_err(unavailable)?;
        self.levels().fit(append)
    }
}

impl Presence {
    /// Takes the announcement back: the process ends.
    pub async fn leave(self) {
        self.beats.abort();
        let left = sqlx::query("delete from store.processes where id = $1").bind(self.id);
        if let Err(error) = left.execute(&self.pool).await {
            tracing::debug!(%error, "the announcement of this process stands until it ages out");
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// One at a time, from here to the end of the transaction.
async fn turn(pool: &PgPool) -> Result<Transaction<'static, Database>, sqlx::Error> {
    let mut turn = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(LEVEL_LOCK).execute(&mut *turn).await?;
    Ok(turn)
}

async fn level(connection: &mut PgConnection) -> Result<FormatLevel, sqlx::Error> {
    let level: i32 =
        sqlx::query_scalar("select format_level from store.log").fetch_one(connection).await?;
    Ok(FormatLevel::from_stored(level))
}

async fn at_work(connection: &mut PgConnection) -> Result<Vec<Process>, sqlx::Error> {
    sqlx::query_as(
        "select part, version, host, format_level,
             extract(epoch from clock_timestamp() - seen_at)::float8 as seconds_unseen
         from store.processes where seen_at > clock_timestamp() - make_interval(secs => $1)
         order by seen_at, id",
    )
    .bind(GONE_AFTER.as_secs_f64())
    .fetch_all(connection)
    .await
}

/// Enters a process, unless the log is beyond its binary. An empty log that nobody older is at begins at the highest level.
async fn enter(
    pool: &PgPool,
    levels: &Levels,
    introduction: &Introduction,
    id: Option<Uuid>,
) -> Result<Option<Uuid>, sqlx::Error> {
    let mut turn = turn(pool).await?;
    let highest = i32::from(levels.format.highest.0);
    sqlx::query(
        "delete from store.processes where seen_at <= clock_timestamp() - make_interval(secs => $1)",
    )
    .bind(GONE_AFTER.as_secs_f64())
    .execute(&mut *turn)
    .await?;
    sqlx::query(
        "update store.log set format_level = $1 where position = 0 and format_level < $1
             and not exists (select from store.processes where format_level < $1)",
    )
    .bind(highest)
    .execute(&mut *turn)
    .await?;
    let log = level(&mut turn).await?;
    levels.heard(log);
    if log > levels.format.highest {
        return Ok(None);
    }
    let id = sqlx::query_scalar(
        "insert into store.processes (id, part, version, host, format_level)
         values (coalesce($1, gen_random_uuid()), $2, $3, $4, $5) returning id",
    )
    .bind(id)
    .bind(&introduction.part)
    .bind(&introduction.version)
    .bind(&introduction.host)
    .bind(highest)
    .fetch_one(&mut *turn)
    .await?;
    turn.commit().await?;
    Ok(Some(id))
}

async fn beat(pool: PgPool, levels: Arc<Levels>, introduction: Introduction, id: Uuid) {
    let mut tick = interval_at(Instant::now() + HEARTBEAT_EVERY, HEARTBEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = answered(GONE_AFTER, beat_once(&pool, &levels, &introduction, id)).await
        {
            tracing::debug!(%error, "no heartbeat");
        }
    }
}

/// A process that was silent for so long that it counted as gone enters again, like one that starts.
async fn beat_once(
    pool: &PgPool,
    levels: &Levels,
    introduction: &Introduction,
    id: Uuid,
) -> Result<(), sqlx::Error> {
    let heard: Option<i32> = sqlx::query_scalar(
        "update store.processes p set seen_at = clock_timestamp() from store.log l
         where p.id = $1 and p.seen_at > clock_timestamp() - make_interval(secs => $2) returning l.format_level",
    )
    .bind(id)
    .bind(GONE_AFTER.as_secs_f64())
    .fetch_optional(pool)
    .await?;
    match heard {
        Some(level) => levels.heard(FormatLevel::from_stored(level)),
        None => {
            enter(pool, levels, introduction, Some(id)).await?;
        }
    }
    Ok(())
}
