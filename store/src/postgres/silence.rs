//! The other end may be gone and nobody says so: neither end of a connection believes in a silent one for ever.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification};
use tokio::time::timeout;

use super::fault::Unanswered;

/// Longest silence of somebody who is there, if nothing else is configured.
pub const SILENCE_MAX: Duration = Duration::from_secs(3);
/// How often a silent client is asked within the time that it has.
const PROBES: u32 = 2;

/// A connection that the server looks after: of a process that is killed its end is closed, of a machine that is gone it is
/// not, and its locks stay. After so long a silence, or so long a wait for what it was sent, it is dropped.
pub fn watched(connect: PgConnectOptions, silence_max: Duration) -> PgConnectOptions {
    // Keepalives count in seconds; the last word has the exact time.
    let every = (silence_max / (PROBES + 1)).as_secs().max(1).to_string();
    connect.options([
        ("tcp_user_timeout", silence_max.as_millis().to_string()),
        ("tcp_keepalives_idle", every.clone()),
        ("tcp_keepalives_interval", every),
        ("tcp_keepalives_count", PROBES.to_string()),
    ])
}

/// The next notification; `None` or an error once the connection is lost. Whoever only listens is not told that the server
/// dropped it meanwhile, so after a silence it asks.
pub async fn hear(
    listener: &mut PgListener,
    silence_max: Duration,
) -> Result<Option<PgNotification>, sqlx::Error> {
    loop {
        if let Ok(heard) = timeout(silence_max, listener.try_recv()).await {
            return heard;
        }
        answered(silence_max, sqlx::query("select 1").execute(&mut *listener)).await?;
    }
}

/// An answer within a time that the server's own timeouts do not reach: it cannot be heard any more.
pub async fn answered<T>(
    within: Duration,
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(within, call).await.unwrap_or_else(|_| Err(unanswered()))
}

pub(super) fn unanswered() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, Unanswered))
}
