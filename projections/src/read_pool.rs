//! The connections of the read side, and the schema they see.

use keynest_store::FormatLevel;
use keynest_store::postgres::{Steps, migrate_schema};
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
/// The read models' schema, step by step.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations/read");

/// Connections for queries and projections. Commits do not wait for the disk: rows and checkpoint
/// are lost together and projected again (DESIGN 6).
pub async fn connect_read_pool(
    options: PgConnectOptions,
    connections_max: u32,
) -> Result<PgPool, sqlx::Error> {
    keynest_store::postgres::trusting(PgPoolOptions::new())
        .max_connections(connections_max)
        .connect_with(within(options, READ_SCHEMA))
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
