//! An empty log per test. Databases are used again, since dropping one makes the server write a checkpoint.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::OnceCell;
use tokio::task::LocalSet;

static NEXT: AtomicU32 = AtomicU32::new(0);
/// Databases of this process that no test is using.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SWEPT: OnceCell<()> = OnceCell::const_new();

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

/// Runs a test with a database of its own. One whose test failed is not used again.
pub async fn with_database<F: Future<Output = ()> + 'static>(
    test: impl FnOnce(Database) -> F + 'static,
) {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres server");
    let server: PgConnectOptions = url.parse().unwrap();
    SWEPT.get_or_init(async || sweep(&server).await).await;
    let free = FREE.lock().unwrap().pop();
    let name = match free {
        Some(name) => name,
        None => create(&server).await,
    };
    let connect = server.database(&name);
    let test = async move {
        execute(&connect, "drop schema if exists store cascade".to_owned()).await;
        let pool =
            connect_store_pool_with(connect.clone(), &StoreOptions::default()).await.unwrap();
        migrate(&pool).await.unwrap();
        test(Database { connect, pool }).await;
    };
    let tasks = LocalSet::new();
    let test = tasks.spawn_local(test);
    if let Err(error) = tasks.run_until(test).await {
        resume_unwind(error.into_panic());
    }
    FREE.lock().unwrap().push(name);
}

async fn create(server: &PgConnectOptions) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("store_test_{}_{number}", std::process::id());
    execute(server, format!("create database {name}")).await;
    name
}

/// Drops what earlier runs left behind.
async fn sweep(server: &PgConnectOptions) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database where datname like 'store\\_test\\_%' order by datname",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    for name in names {
        let process = name.trim_start_matches("store_test_").split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            // Fails if somebody is connected, from another machine perhaps: then it is not ours to drop.
            let drop = format!("drop database if exists {name}");
            let _ = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await;
        }
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
