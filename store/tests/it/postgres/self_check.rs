//! A log that cannot be trusted is not opened.

use std::time::Duration;

use keynest_store::postgres::{
    OpenError, Postgres, StoreOptions, connect_store_pool, connect_store_pool_with, migrate,
    renew_incarnation,
};
use keynest_store::{EventStore, Expected};
use sqlx::postgres::PgPoolOptions;
use sqlx::query_scalar;

use crate::database::{Database, with_database};
use crate::given::*;

async fn reopened_after(database: &Database, statement: &'static str) -> OpenError {
    let store = database.open(&Default::default()).await;
    for _ in 0..5 {
        store.append(one("a", Expected::Any)).await.unwrap();
    }
    sqlx::raw_sql(statement).execute(&database.pool).await.unwrap();
    Postgres::open(database.pool.clone(), &Default::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_log_without_tables_is_not_opened() {
    with_database(async |database| {
        let error = reopened_after(&database, "drop table store.log").await;
        assert!(matches!(error, OpenError::NotMigrated), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_log_whose_end_is_gone_is_not_opened() {
    with_database(async |database| {
        let error = reopened_after(&database, "delete from store.events where position = 5").await;
        assert!(matches!(error, OpenError::Counter { counter: 5, last: 4 }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_log_with_a_hole_is_not_opened() {
    with_database(async |database| {
        let error =
            reopened_after(&database, "delete from store.events where position in (2, 3)").await;
        assert!(matches!(error, OpenError::Hole { missing: 2 }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_log_of_a_newer_binary_is_not_opened() {
    with_database(async |database| {
        let error = reopened_after(&database, "update store.log set schema_version = 2").await;
        assert!(matches!(error, OpenError::SchemaVersion { found: 2 }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_does_not_wait_for_the_disk_is_refused() {
    with_database(async |database| {
        let hasty = database.connect.clone().options([("synchronous_commit", "off")]);
        let pool = PgPoolOptions::new().connect_with(hasty).await.unwrap();
        let error = Postgres::open(pool, &Default::default()).await.unwrap_err();
        let OpenError::UnsafeSetting { name: "synchronous_commit", value } = error else {
            panic!("{error:?}");
        };
        assert_eq!(value, "off");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_address_is_told_without_the_password() {
    let options = StoreOptions::default();
    for url in ["nonsense", "postgres://u:hunter2@127.0.0.1:1/x"] {
        let error = connect_store_pool(url, &options).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_) | OpenError::Unavailable(_)));
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}

#[tokio::test]
async fn connections_have_their_settings_and_the_operators_timeouts() {
    with_database(async |database| {
        let options = StoreOptions {
            pool_connections: 1,
            lock_timeout: Duration::from_millis(4_001),
            statement_timeout: Duration::from_millis(9_002),
            idle_in_transaction_timeout: Duration::from_millis(8_003),
            ..Default::default()
        };
        let pool = connect_store_pool_with(database.connect.clone(), &options).await.unwrap();
        assert_eq!(pool.options().get_max_connections(), 1);
        for (setting, value) in [
            ("synchronous_commit", "on"),
            ("lock_timeout", "4001ms"),
            ("statement_timeout", "9002ms"),
            ("idle_in_transaction_session_timeout", "8003ms"),
            ("search_path", "store"),
            ("default_transaction_isolation", "read committed"),
        ] {
            let found: String = query_scalar("select current_setting($1)")
                .bind(setting)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(found, value, "{setting}");
        }
    })
    .await;
}

#[tokio::test]
async fn migrations_run_once_whoever_runs_them_and_stay_in_their_schema() {
    with_database(async |database| {
        let pool = &database.pool;
        let again = futures::future::join_all((0..4).map(|_| migrate(pool))).await;
        again.into_iter().for_each(Result::unwrap);
        let lists: Vec<String> = query_scalar(
            "select table_schema::text from information_schema.tables where table_name = '_sqlx_migrations'",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert_eq!(lists, ["store"]);
    })
    .await;
}

#[tokio::test]
async fn a_restored_log_begins_a_new_life() {
    with_database(async |database| {
        let life = async || EventStore::incarnation(&database.open(&Default::default()).await);
        let old = life().await;
        assert_eq!(life().await, old);
        let new = renew_incarnation(&database.pool).await.unwrap();
        assert_ne!(new, old);
        assert_eq!(life().await, new);
    })
    .await;
}
