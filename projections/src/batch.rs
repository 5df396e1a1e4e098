//! One transaction: the checkpoint is moved first, then the rows are written; what fails is parked.

use keynest_domain::key::DataKey;
use keynest_domain::{Aggregate, Timestamp};
use keynest_store::{Position, Recorded, decode};
use sqlx::{Connection, PgConnection};

use crate::checkpoint::{self, Parked};
use crate::error::ApplyError;
use crate::projection::Applied;
use crate::runner::{Progress, Runner, RunnerError};

/// Statements are planned when the tables are empty and kept; only index look-ups stay right as the tables grow, and one
/// plan is good for every batch. It goes with the transaction, so queries on the same connection are planned as ever.
const BEGIN: &str = "begin; set local enable_seqscan = off; set local enable_hashjoin = off;
    set local enable_mergejoin = off; set local jit = off; set local plan_cache_mode = force_generic_plan";

/// What a batch left behind.
pub(crate) struct Left {
    /// Streams that were parked by it.
    pub parked: Vec<Parked>,
    /// From the recording of its first event to now, in seconds.
    pub latency: f64,
}

/// Writes a batch of at least one event. The usual case is one call of `apply`; only when that fails
/// are the events taken one by one, so that the failing ones can be told from the others.
pub(crate) async fn write(
    runner: &Runner,
    from: &Progress,
    to: Position,
    news: &[&Recorded],
) -> Result<Left, RunnerError> {
    match at_once(runner, from, to, news).await {
        Err(RunnerError::Apply(ApplyError::Failing(_))) => one_by_one(runner, from, to, news).await,
        done => done,
    }
}

async fn at_once(
    runner: &Runner,
    from: &Progress,
    to: Position,
    news: &[&Recorded],
) -> Result<Left, RunnerError> {
    let decoded: Result<Vec<Applied>, ApplyError> = news.iter().copied().map(decoded).collect();
    let decoded = decoded.map_err(RunnerError::Apply)?;
    let mut tx = runner.rows.begin_with(BEGIN).await?;
    let now = advance(runner, from, to, &mut tx).await?;
    apply(runner, &decoded, &mut tx).await.map_err(RunnerError::Apply)?;
    tx.commit().await?;
    Ok(Left { parked: Vec::new(), latency: latency(now, news) })
}

/// Each event within a savepoint of its own. A stream is parked at its first failing event.
async fn one_by_one(
    runner: &Runner,
    from: &Progress,
    to: Position,
    news: &[&Recorded],
) -> Result<Left, RunnerError> {
    let projection = runner.projection.name();
    let mut tx = runner.rows.begin_with(BEGIN).await?;
    let now = advance(runner, from, to, &mut tx).await?;
    let mut parked: Vec<Parked> = Vec::new();
    for recorded in news {
        if parked.iter().any(|known| known.stream == recorded.stream) {
            continue;
        }
        let error = match single(runner, recorded, &mut tx).await {
            Ok(()) => continue,
            Err(ApplyError::Failing(error)) => error,
            Err(unavailable @ ApplyError::Unavailable(_)) => {
                return Err(RunnerError::Apply(unavailable));
            }
        };
        let (stream, position) = (recorded.stream.clone(), recorded.position);
        tracing::error!(projection, %stream, position = position.to_stored(), error, "stream parked");
        let left = Parked { stream, position, error };
        checkpoint::park(projection, &left, &mut tx).await.map_err(RunnerError::Apply)?;
        parked.push(left);
    }
    tx.commit().await?;
    Ok(Left { parked, latency: latency(now, news) })
}

async fn single(
    runner: &Runner,
    recorded: &Recorded,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let applied = decoded(recorded)?;
    let mut savepoint = rows.begin().await?;
    apply(runner, &[applied], &mut savepoint).await?;
    savepoint.commit().await?;
    Ok(())
}

/// In the order of the log, also where a key is destroyed in between.
async fn apply(
    runner: &Runner,
    events: &[Applied],
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    let projection = &*runner.projection;
    for part in events.split_inclusive(|applied| applied.destroyed_key().is_some()) {
        let key = part.last().and_then(Applied::destroyed_key);
        let reads_it = key.is_none() || projection.categories().include(DataKey::CATEGORY);
        let told = if reads_it { part } else { &part[..part.len() - 1] };
        if !told.is_empty() {
            projection.apply(told, rows, &runner.keyring).await?;
        }
        if let Some(key) = key {
            projection.forget(key, rows).await?;
        }
    }
    Ok(())
}

fn decoded(recorded: &Recorded) -> Result<Applied, ApplyError> {
    // The text names the event's type and version; what is in it stays out.
    let event = decode(recorded).map_err(|error| ApplyError::failing(error.to_string()))?;
    Ok(Applied { recorded: recorded.clone(), event })
}

async fn advance(
    runner: &Runner,
    from: &Progress,
    to: Position,
    rows: &mut PgConnection,
) -> Result<Timestamp, RunnerError> {
    let projection = runner.projection.name();
    checkpoint::advance(projection, from.build, from.stored, to, rows)
        .await?
        .ok_or(RunnerError::Overtaken { projection })
}

fn latency(now: Timestamp, news: &[&Recorded]) -> f64 {
    let first = news.first().map_or(now, |event| event.recorded_at);
    std::time::Duration::from_micros(u64::try_from(now.micros() - first.micros()).unwrap_or(0))
        .as_secs_f64()
}
