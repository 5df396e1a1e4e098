//! Limits of the Postgres backend, each with a name and a default.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::OpenError;
use super::silence::{SILENCE_MAX, watched};
use crate::format::{FORMAT, Format};

/// What the configuration may set.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Connections for reads and for everything else on the `store` pool. Appends and LISTEN have one each besides.
    pub pool_connections: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement waits for a lock, such as the turn to append.
    pub lock_timeout: Duration,
    /// How long a statement runs.
    pub statement_timeout: Duration,
    /// How long an open transaction may do nothing.
    pub idle_in_transaction_timeout: Duration,
    /// How long the other end of a connection may be silent before it counts as gone.
    pub silence_max: Duration,
    /// Appends that wait for their batch; one more is refused as busy.
    pub queue_requests: usize,
    /// Bytes of the appends that wait for their batch; more is refused as busy.
    pub queue_bytes: u32,
    /// Committed events that are kept for subscribers in this process; who is further behind reads the log.
    pub handover_events: usize,
    /// Bytes of these events, in memory.
    pub handover_bytes: usize,
    /// Requests in one batch.
    pub batch_requests: usize,
    /// Events in one batch, unless one request alone has more.
    pub batch_events: usize,
    /// Bytes in one batch, unless one request alone has more.
    pub batch_bytes: usize,
    /// For how long a batch is sent again after the connection was lost.
    pub resend_for: Duration,
    /// The pause before a batch is sent again the first time; it doubles each time.
    pub resend_pause: Duration,
    /// How often the head is asked for while nobody tells it.
    pub poll_interval: Duration,
    /// What may be written, and what can be read; another one than this binary's for tests.
    pub format: &'static Format,
    /// Whether to wait for notifications; without, other processes' appends are seen by polling.
    pub is_listening: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            pool_connections: 10,
            acquire_timeout: Duration::from_secs(1),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
            silence_max: SILENCE_MAX,
            queue_requests: 4_096,
            queue_bytes: 64 * 1024 * 1024,
            batch_requests: 256,
            batch_events: 1_000,
            batch_bytes: 1024 * 1024,
            handover_events: 4_096,
            handover_bytes: 4 * 1024 * 1024,
            resend_for: Duration::from_millis(900),
            resend_pause: Duration::from_millis(20),
            poll_interval: Duration::from_millis(500),
            format: &FORMAT,
            is_listening: true,
        }
    }
}

/// How much longer than the server's own timeout an answer is waited for.
pub(super) const ANSWER_GRACE: Duration = Duration::from_secs(1);

impl StoreOptions {
    /// How long an answer is waited for, with the way to the server.
    pub(crate) fn answer_max(&self) -> Duration {
        self.acquire_timeout + self.statement_timeout + ANSWER_GRACE
    }
}

/// For how long a connection that was not used is believed to be alive.
const UNTESTED_FOR: Duration = Duration::from_secs(1);

/// Without the round trip before every use, only to hear that a connection lives which answered a moment ago.
pub fn trusting(pool: PgPoolOptions) -> PgPoolOptions {
    pool.test_before_acquire(false).before_acquire(|connection, known| {
        Box::pin(async move {
            if known.idle_for >= UNTESTED_FOR {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}

/// Connects the `store` pool: every connection waits for the disk at commit, has timeouts and looks into schema `store`.
pub async fn connect_store_pool(url: &str, options: &StoreOptions) -> Result<PgPool, OpenError> {
    connect_store_pool_with(url.parse().map_err(OpenError::Url)?, options).await
}

/// The same for a database whose address is not a URL.
pub async fn connect_store_pool_with(
    connect: PgConnectOptions,
    options: &StoreOptions,
) -> Result<PgPool, OpenError> {
    let millis = |span: Duration| span.as_millis().to_string();
    let connect =
        watched(connect, options.silence_max).application_name("keynest-store").options([
            ("synchronous_commit", "on".to_owned()),
            ("default_transaction_isolation", "read committed".to_owned()),
            ("lock_timeout", millis(options.lock_timeout)),
            ("statement_timeout", millis(options.statement_timeout)),
            ("idle_in_transaction_session_timeout", millis(options.idle_in_transaction_timeout)),
            ("search_path", "store".to_owned()),
        ]);
    trusting(PgPoolOptions::new())
        .max_connections(options.pool_connections)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect)
        .await
        .map_err(OpenError::Unavailable)
}
