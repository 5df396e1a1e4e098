//! The client's own integration tests against this server (README.md says where they are from).
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

#[rustfmt::skip]
mod api {
    #![expect(
        clippy::all,
        clippy::disallowed_methods,
        clippy::too_many_lines,
        reason = "somebody else's tests, unchanged"
    )]
    pub mod persistent_subscriptions;
    pub mod streams;
}
#[rustfmt::skip]
#[expect(clippy::disallowed_methods, reason = "somebody else's tests, unchanged")]
mod common;

use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, StoreOptions, connect_store_pool_with, migrate};
use kurrentdb::Client;
use sqlx::PgPool;
use tokio::net::TcpListener;

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

#[tokio::test]
async fn streams_over_memory() {
    api::streams::tests(client_of(EventStore::memory()).await).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn streams_over_postgres(pool: PgPool) {
    api::streams::tests(client_of(in_postgres(&pool).await).await).await.unwrap();
}

#[tokio::test]
async fn persistent_subscriptions_over_memory() {
    api::persistent_subscriptions::tests(client_of(EventStore::memory()).await).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn persistent_subscriptions_over_postgres(pool: PgPool) {
    let client = client_of(in_postgres(&pool).await).await;
    api::persistent_subscriptions::tests(client).await.unwrap();
}
