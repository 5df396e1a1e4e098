//! The store's tables, in their own schema with their own list of migrations.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPool;
use sqlx::{ConnectOptions, Connection};

use super::OpenError;

/// `migrations/store`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations/store");

/// Any number; the same in every process, so that one makes the schema at a time.
const SCHEMA_LOCK: i64 = 0x6b65_796e_6573_7401;

/// Makes the schema `store` if need be and brings its tables up to date. Any number of processes may call it at once.
pub async fn migrate(pool: &PgPool) -> Result<(), OpenError> {
    // A connection of its own, closed afterwards: its settings must not leak into the pool.
    let mut connection = pool.connect_options().connect().await.map_err(OpenError::Unavailable)?;
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0; set search_path = store")
        .execute(&mut connection)
        .await
        .map_err(OpenError::Unavailable)?;
    let mut transaction = connection.begin().await.map_err(OpenError::Unavailable)?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(SCHEMA_LOCK)
        .execute(&mut *transaction)
        .await
        .map_err(OpenError::Unavailable)?;
    sqlx::raw_sql("create schema if not exists store")
        .execute(&mut *transaction)
        .await
        .map_err(OpenError::Unavailable)?;
    transaction.commit().await.map_err(OpenError::Unavailable)?;
    MIGRATOR.run_direct(None, &mut connection, false).await.map_err(OpenError::Migrate)?;
    connection.close().await.map_err(OpenError::Unavailable)
}
