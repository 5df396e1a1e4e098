//! The connections of the read side, and the schema they see.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

/// The schema of the live read models.
pub const READ_SCHEMA: &str = "read";
/// Longest statement of the read side, as Postgres writes it.
const STATEMENT_TIMEOUT: &str = "30s";
/// Longest pause within a transaction.
const IDLE_TIMEOUT: &str = "60s";
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
    ])
}

/// Makes the schema of the live read models, or brings it up to date.
pub async fn migrate(read: &PgPool) -> Result<(), MigrateError> {
    let options = within(read.connect_options().as_ref().clone(), READ_SCHEMA);
    let mut connection = PgConnection::connect_with(&options).await?;
    // `if not exists` is no protection against two processes at once; the migrator's own lock comes later.
    // A step over large tables, or the wait for another process, takes as long as it takes.
    sqlx::query("set statement_timeout = 0").execute(&mut connection).await?;
    sqlx::query("select pg_advisory_lock(hashtext('keynest.read'))")
        .execute(&mut connection)
        .await?;
    sqlx::query("create schema if not exists read").execute(&mut connection).await?;
    MIGRATOR.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
