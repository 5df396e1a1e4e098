//! The Rust client's own integration tests against this server, straight from the sources of its crate, unchanged.
//! What is not run, and why: eventstore-server/README.md.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

mod api {
    #![expect(
        clippy::all,
        clippy::disallowed_methods,
        clippy::too_many_lines,
        reason = "somebody else's tests, unchanged"
    )]
    pub mod persistent_subscriptions {
        include!(concat!(env!("KURRENTDB_TESTS"), "/api/persistent_subscriptions.rs"));
    }
    pub mod streams {
        include!(concat!(env!("KURRENTDB_TESTS"), "/api/streams.rs"));
    }
}
#[expect(clippy::disallowed_methods, reason = "somebody else's tests, unchanged")]
mod common {
    include!(concat!(env!("KURRENTDB_TESTS"), "/common.rs"));
}

use std::io;
use std::sync::{Arc, Mutex};

use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use kurrentdb::Client;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;

/// Tests that each suite of the locked version runs.
const STREAMS: usize = 16;
const PERSISTENT_SUBSCRIPTIONS: usize = 18;

async fn client_of(store: EventStore) -> Client {
    // Each test here is the only one of its process that would fail on a second installation.
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(store, listener, std::future::pending()));
    let url = format!("esdb://localhost:{port}?tls=false&defaultDeadline=60000");
    Client::new(url.parse().unwrap()).unwrap()
}

async fn in_postgres(pool: &PgPool) -> EventStore {
    let options = StoreOptions::default();
    let connect = (*pool.connect_options()).clone();
    let pool = connect_store_pool_with(connect, &options).await.unwrap();
    migrate(&pool).await.unwrap();
    Postgres::open(pool, &options).await.unwrap().into()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a suite, which names each of its tests in the log before it runs it.
async fn run(suite: impl Future<Output = eyre::Result<()>>, tests: usize) {
    let log = Log::default();
    let (writer, level) = (log.clone(), LevelFilter::DEBUG);
    let subscriber = tracing_subscriber::fmt().with_max_level(level);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    suite.with_subscriber(subscriber).await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("Before test").count(), tests, "{log}");
}

#[tokio::test]
async fn streams_over_memory() {
    let client = client_of(EventStore::memory()).await;
    run(api::streams::tests(client), STREAMS).await;
}

#[sqlx::test(migrations = false)]
async fn streams_over_postgres(pool: PgPool) {
    let client = client_of(in_postgres(&pool).await).await;
    run(api::streams::tests(client), STREAMS).await;
}

#[tokio::test]
async fn persistent_subscriptions_over_memory() {
    let client = client_of(EventStore::memory()).await;
    run(api::persistent_subscriptions::tests(client), PERSISTENT_SUBSCRIPTIONS).await;
}

#[sqlx::test(migrations = false)]
async fn persistent_subscriptions_over_postgres(pool: PgPool) {
    let client = client_of(in_postgres(&pool).await).await;
    run(api::persistent_subscriptions::tests(client), PERSISTENT_SUBSCRIPTIONS).await;
}
