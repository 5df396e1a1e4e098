//! A database per test, dropped at its end, however it ends.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, Ordering};

use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::task::LocalSet;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty, migrated log.
#[derive(Clone, Debug)]
pub struct Database {
    pub connect: PgConnectOptions,
    pub pool: PgPool,
}

impl Database {
    /// Another process's view of the same log: own pool, own committer, own follower.
    pub async fn open(&self, options: &StoreOptions) -> EventStore {
        let pool = connect_store_pool_with(self.connect.clone(), options).await.unwrap();
        Postgres::open(pool, options).await.unwrap().into()
    }
}

/// Runs a test with a database of its own.
pub async fn with_database<F: Future<Output = ()> + 'static>(
    test: impl FnOnce(Database) -> F + 'static,
) {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres server");
    let server: PgConnectOptions = url.parse().unwrap();
    let name =
        format!("store_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(&server, format!("create database {name}")).await;
    let connect = server.clone().database(&name);
    let test = async move {
        let pool =
            connect_store_pool_with(connect.clone(), &StoreOptions::default()).await.unwrap();
        migrate(&pool).await.unwrap();
        test(Database { connect, pool }).await;
    };
    let tasks = LocalSet::new();
    let test = tasks.spawn_local(test);
    let result = tasks.run_until(test).await;
    execute(&server, format!("drop database {name} with (force)")).await;
    if let Err(error) = result {
        resume_unwind(error.into_panic());
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
