//! Tables that change while others use them: expand, contract, locks, kills, two at once.

use std::future::Future;

use keynest_store::FormatLevel;
use keynest_store::postgres::{LOCK_WAIT_MAX, Steps, migrate_schema};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr};
use tokio::task::JoinSet;

use crate::database::{Database, with_database};

const SCHEMA: &str = "moving";

fn step(version: i64, name: &'static str, sql: &'static str) -> Migration {
    let is_outside = sql.starts_with("-- no-transaction");
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), is_outside)
}

fn things() -> Migration {
    step(
        1,
        "things",
        "create table things (id bigint primary key, name text); insert into things values (1, 'one')",
    )
}

fn expanded() -> Migration {
    step(2, "colours", "alter table things add column colour text")
}

fn contracted() -> Migration {
    step(3, "drop names.contract2", "alter table things drop column name")
}

async fn moved(
    database: &Database,
    migrations: Vec<Migration>,
    steps: Steps,
) -> Result<(), MigrateError> {
    let migrator = Migrator::with_migrations(migrations);
    migrate_schema(&database.connect, SCHEMA, &migrator, &steps).await
}

async fn columns(database: &Database) -> String {
    sqlx::query_scalar(
        "select string_agg(column_name, ' ' order by column_name) from information_schema.columns
         where table_schema = 'moving' and table_name = 'things'",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap()
}

/// With a database that nothing is left in afterwards.
async fn with_tables<F: Future<Output = ()> + 'static>(test: impl FnOnce(Database) -> F + 'static) {
    with_database(async |database| {
        test(database.clone()).await;
        cleared(&database).await;
    })
    .await;
}

async fn cleared(database: &Database) {
    let drop = format!("drop schema if exists {SCHEMA} cascade");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&database.pool).await.unwrap();
}

#[tokio::test]
async fn what_older_binaries_use_goes_only_when_they_are_gone() {
    with_tables(async |database| {
        let all = || vec![things(), expanded(), contracted()];
        moved(&database, all(), Steps::Expand).await.unwrap();
        assert_eq!(columns(&database).await, "colour id name");
        moved(&database, all(), Steps::Contract(FormatLevel(1))).await.unwrap();
        assert_eq!(columns(&database).await, "colour id name", "of a level that is not reached");
        moved(&database, all(), Steps::Contract(FormatLevel(2))).await.unwrap();
        assert_eq!(columns(&database).await, "colour id");
        // What starts now, new and old, finds nothing to do and nothing wrong.
        moved(&database, all(), Steps::Expand).await.unwrap();
        moved(&database, vec![things()], Steps::Expand).await.unwrap();
        assert_eq!(columns(&database).await, "colour id");
    })
    .await;
}

#[tokio::test]
async fn a_step_that_is_not_what_was_taken_is_refused() {
    with_tables(async |database| {
        moved(&database, vec![things(), expanded()], Steps::Expand).await.unwrap();
        let edited = vec![things(), step(2, "colours", "alter table things add column size text")];
        let refused = moved(&database, edited, Steps::Expand).await;
        assert!(matches!(refused, Err(MigrateError::VersionMismatch(2))), "{refused:?}");
        let without = vec![step(9, "later", "create table later (id bigint)")];
        let refused = moved(&database, without, Steps::Expand).await;
        assert!(matches!(refused, Err(MigrateError::VersionMissing(1))), "{refused:?}");
    })
    .await;
}

/// Somebody reads in a transaction that does not end; the step wants the table for itself. Without a limit to its
/// waiting, everybody who comes after it would wait for the reader, too.
#[tokio::test]
async fn queries_do_not_queue_behind_a_step_that_waits_for_a_table() {
    with_tables(async |database| {
        moved(&database, vec![things()], Steps::Expand).await.unwrap();
        let mut reader: PgConnection = database.connect.connect().await.unwrap();
        sqlx::raw_sql("begin; select * from moving.things").execute(&mut reader).await.unwrap();
        let there = database.clone();
        let moving = tokio::task::spawn_local(async move {
            moved(&there, vec![things(), expanded()], Steps::Expand).await
        });
        let mut watcher: PgConnection = database.connect.connect().await.unwrap();
        let mut another: PgConnection = database.connect.connect().await.unwrap();
        sqlx::raw_sql("set statement_timeout = '60s'").execute(&mut another).await.unwrap();
        let mut queued = 0;
        while queued < 3 {
            // Only while the step stands in the queue.
            let waits: bool = sqlx::query_scalar(
                "select exists (select from pg_locks where relation = 'moving.things'::regclass
                     and mode = 'AccessExclusiveLock' and not granted)",
            )
            .fetch_one(&mut watcher)
            .await
            .unwrap();
            if waits {
                // It comes through, although the first reader has not let go.
                sqlx::raw_sql("select * from moving.things").execute(&mut another).await.unwrap();
                queued += 1;
            }
        }
        assert!(!moving.is_finished());
        assert!(LOCK_WAIT_MAX.as_secs() < 1);
        sqlx::raw_sql("commit").execute(&mut reader).await.unwrap();
        moving.await.unwrap().unwrap();
        assert_eq!(columns(&database).await, "colour id name");
        for connection in [reader, watcher, another] {
            connection.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_takes_each_step() {
    with_tables(async |database| {
        let mut at_once = JoinSet::new();
        for _ in 0..16 {
            let database = database.clone();
            let all = vec![things(), expanded(), contracted()];
            at_once.spawn(async move {
                moved(&database, all, Steps::Contract(FormatLevel(2)))
                    .await
                    .map_err(|it| it.to_string())
            });
        }
        for done in at_once.join_all().await {
            done.unwrap();
        }
        assert_eq!(columns(&database).await, "colour id");
        let rows: i64 = sqlx::query_scalar("select count(*) from moving.things")
            .fetch_one(&database.pool)
            .await
            .unwrap();
        assert_eq!(rows, 1);
    })
    .await;
}

#[tokio::test]
async fn an_index_that_was_half_made_is_made_again() {
    with_tables(async |database| {
        let index = step(
            2,
            "names once",
            "-- no-transaction\ncreate unique index concurrently things_by_name on things (name)",
        );
        moved(&database, vec![things()], Steps::Expand).await.unwrap();
        // Two of a name: the index is begun, cannot be ended and stays behind, as when its process is killed.
        let twice = "insert into moving.things values (2, 'one')";
        sqlx::raw_sql(twice).execute(&database.pool).await.unwrap();
        moved(&database, vec![things(), index.clone()], Steps::Expand).await.unwrap_err();
        let is_valid =
            "select indisvalid from pg_index where indexrelid = 'moving.things_by_name'::regclass";
        let is_valid = || sqlx::query_scalar::<_, bool>(is_valid).fetch_one(&database.pool);
        assert!(!is_valid().await.unwrap());
        let once = "delete from moving.things where id = 2";
        sqlx::raw_sql(once).execute(&database.pool).await.unwrap();
        moved(&database, vec![things(), index], Steps::Expand).await.unwrap();
        assert!(is_valid().await.unwrap());
    })
    .await;
}
