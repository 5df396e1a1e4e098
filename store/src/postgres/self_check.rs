//! What is looked at before the store is used (DESIGN 4): better no start than a log that cannot be trusted.

use sqlx::postgres::PgPool;
use uuid::Uuid;

use crate::format::{Format, FormatLevel, Levels};
use crate::port::Incarnation;

/// The version of the tables that this binary works on.
pub(crate) const SCHEMA_VERSION: i32 = 1;
/// How far back the check for holes goes; `verify` goes all the way.
const CHECKED_POSITIONS: i64 = 10_000;

/// Why the store was not opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum OpenError {
    #[error("the database address is not valid")]
    Url(#[source] sqlx::Error),
    #[error("cannot reach the database")]
    Unavailable(#[source] sqlx::Error),
    #[error("cannot bring the tables of the store up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("the tables of the store are missing; run the migrations")]
    NotMigrated,
    #[error("the store has schema version {found}, this binary knows {SCHEMA_VERSION}")]
    SchemaVersion { found: i32 },
    #[error(
        "the log is at format level {log}, this binary reads up to {highest}; start a newer one"
    )]
    FormatLevel { log: FormatLevel, highest: FormatLevel },
    #[error("the counter is at position {counter}, the last event at {last}")]
    Counter { counter: i64, last: i64 },
    #[error("{missing} of the last {CHECKED_POSITIONS} positions are missing")]
    Hole { missing: i64 },
    #[error(
        "the database setting {name} is {value}; acknowledged events would not survive a crash"
    )]
    UnsafeSetting { name: &'static str, value: String },
    #[error("the database is a read-only copy")]
    Standby,
}

/// Answers the life of the log and its format level if everything is in order.
pub(crate) async fn self_check(
    pool: &PgPool,
    format: &'static Format,
) -> Result<(Incarnation, Levels), OpenError> {
    check_settings(pool).await?;
    // Plain queries throughout this backend: the check of `query!` needs a migrated database or `.sqlx` in every build
    // that depends on the store, and the contract suite runs every statement anyway.
    let is_migrated: bool = sqlx::query_scalar("select to_regclass('store.log') is not null")
        .fetch_one(pool)
        .await
        .map_err(OpenError::Unavailable)?;
    if !is_migrated {
        return Err(OpenError::NotMigrated);
    }
    // One statement, one snapshot: another process may be appending.
    let (counter, incarnation, found, level, last, present): (i64, Uuid, i32, i32, i64, i64) =
        sqlx::query_as(
            "select l.position, l.incarnation, l.schema_version, l.format_level, \
         coalesce((select max(e.position) from store.events e), 0), \
         (select count(*) from store.events e where e.position > l.position - $1) \
         from store.log l",
        )
        .bind(CHECKED_POSITIONS)
        .fetch_one(pool)
        .await
        .map_err(OpenError::Unavailable)?;
    if found != SCHEMA_VERSION {
        return Err(OpenError::SchemaVersion { found });
    }
    let (level, highest) = (FormatLevel::from_stored(level), format.highest);
    if level > highest {
        return Err(OpenError::FormatLevel { log: level, highest });
    }
    if counter != last {
        return Err(OpenError::Counter { counter, last });
    }
    match counter.min(CHECKED_POSITIONS) - present {
        0 => Ok((Incarnation::new(incarnation), Levels::new(format, level))),
        missing => Err(OpenError::Hole { missing }),
    }
}

async fn check_settings(pool: &PgPool) -> Result<(), OpenError> {
    let (is_standby, fsync, pages, commit): (bool, String, String, String) = sqlx::query_as(
        "select pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), \
         current_setting('synchronous_commit')",
    )
    .fetch_one(pool)
    .await
    .map_err(OpenError::Unavailable)?;
    if is_standby {
        return Err(OpenError::Standby);
    }
    for (name, value) in
        [("fsync", fsync), ("full_page_writes", pages), ("synchronous_commit", commit)]
    {
        if value == "off" {
            return Err(OpenError::UnsafeSetting { name, value });
        }
    }
    Ok(())
}
