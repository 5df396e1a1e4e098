//! The connections of the read side, and the schema they see.

use std::time::Duration;

use keynest_store::FormatLevel;
use keynest_store::postgres::{SILENCE_MAX, Steps, migrate_schema, trusting, watched};
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The schema of the live read models.
pub const READ_SCHEMA: &str = "read";
/// Longest statement of the read side, as Postgres writes it.
const STATEMENT_TIMEOUT: &str = "30s";
/// Longest pause within a transaction.
const IDLE_TIMEOUT: &str = "60s";
/// A page somewhere costs hardly more than the next one: what is asked for is in memory or on a disk without arms. With
/// Postgres's own 4.0 whole small tables are read instead of one row by its index.
const PAGE_COST: &str = "1.1";

/// Limits of the read side, each with a default.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Connections for projections and queries.
    pub connections_max: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// How long the other end of a connection may be silent before it counts as gone.
    pub silence_max: Duration,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            connections_max: 12,
            acquire_timeout: Duration::from_secs(5),
            silence_max: SILENCE_MAX,
        }
    }
}

/// The read models' schema, step by step.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations/read");

/// Connections for queries and projections. Commits do not wait for the disk: rows and checkpoint
/// are lost together and projected again (DESIGN 6). Whoever is silent for too long loses its turn on a checkpoint.
pub async fn connect_read_pool(
    connect: PgConnectOptions,
    options: &ReadOptions,
) -> Result<PgPool, sqlx::Error> {
    let connect = watched(connect, options.silence_max);
    trusting(PgPoolOptions::new())
        .max_connections(options.connections_max)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(within(connect, READ_SCHEMA))
        .await
}

/// The same connections with another schema in view.
pub(crate) fn within(options: PgConnectOptions, schema: &str) -> PgConnectOptions {
    options.options([
        ("search_path", schema),
        ("synchronous_commit", "off"),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
        ("random_page_cost", PAGE_COST),
    ])
}

/// Makes the schema of the live read models, or brings it up to date.
pub async fn migrate(read: &PgPool) -> Result<(), MigrateError> {
    take(read, &Steps::Expand).await
}

/// The same with what takes things away that only binaries below a format level use.
pub async fn contract(read: &PgPool, level: FormatLevel) -> Result<(), MigrateError> {
    take(read, &Steps::Contract(level)).await
}

async fn take(read: &PgPool, steps: &Steps) -> Result<(), MigrateError> {
    migrate_schema(&read.connect_options(), READ_SCHEMA, &MIGRATOR, steps).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test(migrations = false)]
    async fn the_server_looks_after_whoever_holds_a_checkpoint(
        _: PgPoolOptions,
        connect: PgConnectOptions,
    ) {
        let pool = connect_read_pool(connect, &ReadOptions::default()).await.unwrap();
        let beside = within(pool.connect_options().as_ref().clone(), "beside");
        let beside = PgPoolOptions::new().connect_with(beside).await.unwrap();
        for pool in [pool, beside] {
            let settings: (String, String, String, String) = sqlx::query_as(
                "select current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'),
                     current_setting('tcp_keepalives_count'), current_setting('tcp_user_timeout')",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            let expected = ["1", "1", "2", "3000"].map(str::to_owned);
            assert_eq!(<[String; 4]>::from(settings), expected);
        }
    }
}
