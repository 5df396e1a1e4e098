//! Bringing tables to this version while others use them: expand first, contract when no older binary is at work, never
//! wait for a lock for long (docs/decisions/0100). For the store's tables and, from `projections`, for the read models'.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::time::sleep;

use super::OpenError;
use crate::format::FormatLevel;

/// `migrations/store`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations/store");

/// Longest wait for a table's lock, behind which its readers and writers queue.
pub const LOCK_WAIT_MAX: Duration = Duration::from_millis(500);
/// Between two tries, so that whoever queued gets on.
const PAUSE: Duration = Duration::from_secs(1);
/// Tries to get all locks of a migration.
const TRIES_MAX: u32 = 600;
/// Codes of Postgres for a lock that was not to be had: not in time, or a deadlock.
const NOT_HAD: [&str; 2] = ["55P03", "40P01"];

/// Which steps are taken.
#[derive(Clone, Debug)]
pub enum Steps {
    /// Those that older binaries do not mind.
    Expand,
    /// Also those that take away what only binaries below a level use.
    Contract(FormatLevel),
    /// Those that were taken elsewhere.
    Same(Vec<i64>),
}

/// Makes the schema `store` if need be and brings its tables up to date. Any number of processes may call it at once.
pub async fn migrate(pool: &PgPool) -> Result<(), OpenError> {
    migrate_schema(&pool.connect_options(), "store", &MIGRATOR, &Steps::Expand)
        .await
        .map_err(OpenError::Migrate)
}

/// The same with what takes things away. Only once the log is at that level.
pub async fn contract(pool: &PgPool, level: FormatLevel) -> Result<(), MigrateError> {
    migrate_schema(&pool.connect_options(), "store", &MIGRATOR, &Steps::Contract(level)).await
}

/// Brings one schema up to date, on a connection of its own, whose settings leak into no pool.
pub async fn migrate_schema(
    connect: &PgConnectOptions,
    schema: &'static str,
    migrator: &Migrator,
    steps: &Steps,
) -> Result<(), MigrateError> {
    let mut connection = connect.connect().await?;
    // One process at a time, for as long as it takes: nobody but migrations waits for this lock.
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0")
        .execute(&mut connection)
        .await?;
    sqlx::query("select pg_advisory_lock(hashtext('keynest.migrate.' || $1))")
        .bind(schema)
        .execute(&mut connection)
        .await?;
    let settings = format!("create schema if not exists {schema}; set search_path = {schema}");
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await?;
    drop_half_made_indexes(schema, &mut connection).await?;
    take_steps(&mut connection, migrator, steps).await?;
    connection.close().await?;
    Ok(())
}

/// Takes the steps that were not taken yet, in the schema in view. A step and the note that it was taken are one
/// transaction, so whoever is killed has done it or not. Steps of newer binaries are left alone.
pub async fn take_steps(
    connection: &mut PgConnection,
    migrator: &Migrator,
    steps: &Steps,
) -> Result<(), MigrateError> {
    let table = &*migrator.table_name;
    connection.ensure_migrations_table(table).await?;
    if let Some(version) = connection.dirty_version(table).await? {
        return Err(MigrateError::Dirty(version));
    }
    let taken = connection.list_applied_migrations(table).await?;
    let taken: BTreeMap<i64, _> = taken.into_iter().map(|it| (it.version, it.checksum)).collect();
    let newest = migrator.iter().map(|known| known.version).max().unwrap_or(0);
    let is_foreign = |version: &&i64| **version < newest && !migrator.version_exists(**version);
    if let Some(version) = taken.keys().find(is_foreign) {
        return Err(MigrateError::VersionMissing(*version));
    }
    for migration in migrator.iter() {
        match taken.get(&migration.version) {
            Some(checksum) if *checksum == migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(migration.version)),
            None if steps.include(migration) => take(connection, table, migration).await?,
            None => {}
        }
    }
    Ok(())
}

/// Which steps were taken in the schema in view, and whether a newer binary took some.
pub async fn taken_steps(
    connection: &mut PgConnection,
    migrator: &Migrator,
) -> Result<(Vec<i64>, bool), MigrateError> {
    let taken = connection.list_applied_migrations(&migrator.table_name).await?;
    let taken: Vec<i64> = taken.into_iter().map(|it| it.version).collect();
    let is_newer = taken.iter().any(|version| !migrator.version_exists(*version));
    Ok((taken, is_newer))
}

impl Steps {
    fn include(&self, migration: &Migration) -> bool {
        match (self, contracts_below(migration)) {
            (Self::Same(taken), _) => taken.contains(&migration.version),
            (Self::Expand | Self::Contract(_), None) => true,
            (Self::Expand, Some(_)) => false,
            (Self::Contract(level), Some(needed)) => needed <= *level,
        }
    }
}

/// `NNNN_drop_this.contract2.sql` takes away what only binaries below level 2 use.
pub fn contracts_below(migration: &Migration) -> Option<FormatLevel> {
    let (_, suffix) = migration.description.rsplit_once('.')?;
    let level = suffix.strip_prefix("contract")?;
    // A name that says no level waits for ever.
    Some(FormatLevel(level.parse().unwrap_or(u16::MAX)))
}

/// Again and again until its locks are to be had within [`LOCK_WAIT_MAX`].
async fn take(
    connection: &mut PgConnection,
    table: &str,
    migration: &Migration,
) -> Result<(), MigrateError> {
    // What runs outside a transaction is an index that is made concurrently: it waits for others, and nobody for it.
    let wait = if migration.no_tx { 0 } else { LOCK_WAIT_MAX.as_millis() };
    sqlx::raw_sql(AssertSqlSafe(format!("set lock_timeout = {wait}")))
        .execute(&mut *connection)
        .await?;
    for _ in 1..TRIES_MAX {
        match connection.apply(table, migration).await {
            Err(error) if is_not_had(&error) => {
                tracing::info!(migration = migration.version, "a table is in use, trying again");
                sleep(PAUSE).await;
            }
            done => return done.map(drop),
        }
    }
    connection.apply(table, migration).await.map(drop)
}

fn is_not_had(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| NOT_HAD.contains(&&*code))
}

/// An index that was being made concurrently when its process was killed stays behind, and serves nobody.
async fn drop_half_made_indexes(
    schema: &str,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let left: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname) from pg_index i
         join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and not i.indisvalid order by 1",
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    for index in left {
        let drop = format!("drop index concurrently if exists {index}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut *connection).await?;
    }
    Ok(())
}
