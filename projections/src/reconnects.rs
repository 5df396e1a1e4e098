//! Noticing that Postgres went away: commits that did not wait for the disk may be gone with it.

use std::time::Duration;

use keynest_store::postgres::{SILENCE_MAX, hear};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Pause between two tries to connect again.
const PAUSE: Duration = Duration::from_millis(500);

/// Counts the times that a connection of its own was lost. An idle connection hears of a crash at
/// once, while a pool replaces its dead connections without a word.
pub(crate) async fn watch(rows: PgPool, lost: watch::Sender<u64>, stop: CancellationToken) {
    let mut is_first = true;
    while !stop.is_cancelled() {
        if let Ok(mut listener) = PgListener::connect_with(&rows).await {
            if !is_first {
                lost.send_modify(|times| *times += 1);
            }
            is_first = false;
            // Nothing is listened to: only the loss of the connection ends this.
            tokio::select! { () = stop.cancelled() => return, _ = hear(&mut listener, SILENCE_MAX) => {} }
        }
        tokio::select! { () = stop.cancelled() => {}, () = sleep(PAUSE) => {} }
    }
}
