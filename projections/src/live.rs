//! A projection that follows the log until it is told to stop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::runner::{BATCH_EVENTS_MAX, Runner, RunnerError};

/// How long a checkpoint may stay behind what is visible while nothing concerns the projection.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// Longest time for one batch. A database that fell silent in the middle of an answer never ends it: the connection is gone
/// there, and nobody said so here.
const BATCH_MAX: Duration = Duration::from_secs(60);
/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Runs a projection until `stop`. A failure is logged and tried again from the stored checkpoint.
/// `reconnects` says that the database may have lost its last commits.
pub(crate) async fn run(
    runner: Runner,
    mut reconnects: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let name = runner.projection.name();
    let mut pause = PAUSE_MIN;
    while !stop.is_cancelled() {
        reconnects.mark_unchanged();
        let error = match follow(&runner, &mut reconnects, &stop, &mut pause).await {
            Ok(()) => continue,
            Err(RunnerError::Overtaken { .. }) => {
                tracing::debug!(projection = name, "another runner was faster");
                continue;
            }
            Err(error) => error,
        };
        log(name, &error);
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
        }
    }
}

/// Until stopped, failed or reconnected; then the checkpoint is read again.
async fn follow(
    runner: &Runner,
    reconnects: &mut watch::Receiver<u64>,
    stop: &CancellationToken,
    pause: &mut Duration,
) -> Result<(), RunnerError> {
    let mut progress = within(runner.load()).await?;
    let mut log = runner.store.subscribe(progress.seen);
    let mut flush_at = Instant::now() + FLUSH_AFTER;
    loop {
        let is_behind = progress.stored != progress.seen;
        tokio::select! {
            biased;
            () = stop.cancelled() => return within(runner.flush(&mut progress)).await,
            Ok(()) = reconnects.changed() => return Ok(()),
            () = sleep_until(flush_at), if is_behind => within(runner.flush(&mut progress)).await?,
            batch = log.next_batch(BATCH_EVENTS_MAX) => {
                within(runner.take(&mut progress, &batch?)).await?;
                *pause = PAUSE_MIN;
                if !is_behind {
                    flush_at = Instant::now() + FLUSH_AFTER;
                }
            }
        }
    }
}

async fn within<T>(work: impl Future<Output = Result<T, RunnerError>>) -> Result<T, RunnerError> {
    timeout(BATCH_MAX, work).await.unwrap_or(Err(RunnerError::Unanswered))
}

fn log(projection: &str, error: &(dyn std::error::Error + 'static)) {
    tracing::error!(projection, error, "projection stands still");
}
