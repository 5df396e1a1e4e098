//! Subscribers hear of other processes' appends, by notification or without.

use std::time::Duration;

use keynest_store::postgres::StoreOptions;
use keynest_store::{EventStore, Expected, Position};
use sqlx::{ConnectOptions, query};

use crate::database::{Database, with_database};
use crate::given::*;

const NEVER: Duration = Duration::from_secs(3_600);

/// A subscriber of one process gets, one by one, what another process appends.
async fn follows(follower: &EventStore, writer: &EventStore, count: u64) {
    let mut subscription = follower.subscribe(follower.head().await.unwrap());
    for _ in 0..count {
        let appended = writer.append(one("a", Expected::Any)).await.unwrap();
        let batch = subscription.next_batch(10).await.unwrap();
        assert_eq!(batch.last().unwrap().position, appended.position);
    }
}

async fn cut_listeners(database: &Database) {
    query(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and query like 'LISTEN%'",
    )
    .execute(&mut database.connect.connect().await.unwrap())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_notification_wakes_a_subscriber() {
    with_database(async |database| {
        let options = StoreOptions { poll_interval: NEVER, ..Default::default() };
        let (follower, writer) =
            (database.open(&options).await, database.open(&Default::default()).await);
        follows(&follower, &writer, 5).await;
    })
    .await;
}

#[tokio::test]
async fn polling_does_without_notifications() {
    with_database(async |database| {
        let poll_interval = Duration::from_millis(10);
        let options = StoreOptions { is_listening: false, poll_interval, ..Default::default() };
        let (follower, writer) =
            (database.open(&options).await, database.open(&Default::default()).await);
        follows(&follower, &writer, 5).await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_listener_stops_nobody() {
    with_database(async |database| {
        let poll_interval = Duration::from_millis(10);
        let options = StoreOptions { poll_interval, ..Default::default() };
        let (follower, writer) =
            (database.open(&options).await, database.open(&Default::default()).await);
        for _ in 0..3 {
            cut_listeners(&database).await;
            follows(&follower, &writer, 2).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_listener_comes_back() {
    with_database(async |database| {
        let options = StoreOptions { poll_interval: NEVER, ..Default::default() };
        let (follower, writer) =
            (database.open(&options).await, database.open(&Default::default()).await);
        follows(&follower, &writer, 1).await;
        cut_listeners(&database).await;
        follows(&follower, &writer, 3).await;
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_goes_on_after_a_failed_read() {
    with_database(async |database| {
        let options = StoreOptions { handover_events: 0, ..Default::default() };
        let store = database.open(&options).await;
        store.append(one("a", at(0))).await.unwrap();
        let mut subscription = store.subscribe(Position::START);
        let rename = async |from: &str, to: &str| {
            let statement = format!("alter table store.{from} rename to {to}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&database.pool).await.unwrap();
        };
        rename("events", "elsewhere").await;
        subscription.next_batch(10).await.unwrap_err();
        rename("elsewhere", "events").await;
        assert_eq!(subscription.next_batch(10).await.unwrap().len(), 1);
    })
    .await;
}
