//! Committed events reach subscribers of their process in memory; whatever is missing there is read from the log.

use std::time::Duration;

use keynest_store::postgres::StoreOptions;
use keynest_store::{EventStore, Expected, Position, Recorded, Subscription};

use crate::database::with_database;
use crate::given::*;

/// Nobody asks for the head: only appends and notifications tell.
fn quiet() -> StoreOptions {
    StoreOptions { poll_interval: Duration::from_secs(3_600), ..Default::default() }
}

async fn appends(store: &EventStore, count: usize) -> Position {
    let mut head = Position::START;
    for _ in 0..count {
        head = store.append(one("a", Expected::Any)).await.unwrap().position;
    }
    head
}

async fn followed(subscription: &mut Subscription, until: Position) -> Vec<Recorded> {
    let mut events = Vec::new();
    while subscription.position() < until {
        events.extend(subscription.next_batch(10).await.unwrap());
    }
    events
}

#[tokio::test]
async fn following_appends_of_the_own_process_reads_nothing() {
    with_database(async |database| {
        let store = database.open(&quiet()).await;
        let EventStore::Postgres(postgres) = &store else { unreachable!("opened above") };
        // Appends have a connection of their own; with this, nothing can be read any more.
        postgres.pool().close().await;
        let mut subscription = store.subscribe(Position::START);
        let mut events = Vec::new();
        for _ in 0..100 {
            let head = appends(&store, 1).await;
            events.extend(followed(&mut subscription, head).await);
        }
        assert_eq!((events.len(), subscription.reads()), (100, 0));
        assert_eq!(
            events,
            database.open(&quiet()).await.read_all(Position::START, 200).await.unwrap()
        );
    })
    .await;
}

#[tokio::test]
async fn what_another_process_appends_in_between_is_read() {
    with_database(async |database| {
        let (store, other) = (database.open(&quiet()).await, database.open(&quiet()).await);
        let mut subscription = store.subscribe(Position::START);
        let mut events = Vec::new();
        for _ in 0..20 {
            appends(&store, 2).await;
            appends(&other, 1).await;
            let head = appends(&store, 3).await;
            events.extend(followed(&mut subscription, head).await);
        }
        assert_eq!(events, store.read_all(Position::START, 200).await.unwrap());
        assert!((20..=60).contains(&subscription.reads()), "{}", subscription.reads());
        let reads = subscription.reads();
        let head = appends(&store, 5).await;
        followed(&mut subscription, head).await;
        assert_eq!(subscription.reads(), reads, "alone again");
    })
    .await;
}

#[tokio::test]
async fn both_processes_at_once_leave_no_gap() {
    with_database(async |database| {
        let (store, other) = (database.open(&quiet()).await, database.open(&quiet()).await);
        let mut here = store.subscribe(Position::START);
        let mut there = other.subscribe(Position::START);
        let until = Position::from_stored(400);
        tokio::join!(
            async { appends(&store, 200).await },
            async { appends(&other, 200).await },
            async {
                let log = followed(&mut here, until).await;
                assert_eq!(log, store.read_all(Position::START, 500).await.unwrap());
            },
            async {
                let log = followed(&mut there, until).await;
                assert_eq!(log, store.read_all(Position::START, 500).await.unwrap());
            },
        );
    })
    .await;
}

#[tokio::test]
async fn a_slow_subscriber_reads_what_was_not_kept_and_catches_up() {
    with_database(async |database| {
        let store = database.open(&StoreOptions { handover_events: 8, ..quiet() }).await;
        let mut subscription = store.subscribe(Position::START);
        let head = appends(&store, 50).await;
        let mut events = followed(&mut subscription, head).await;
        assert_eq!(subscription.reads(), 5, "of ten events each");
        let head = appends(&store, 8).await;
        events.extend(followed(&mut subscription, head).await);
        assert_eq!(subscription.reads(), 5);
        assert_eq!(events, store.read_all(Position::START, 100).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn events_too_large_to_be_kept_are_read() {
    with_database(async |database| {
        let store = database.open(&StoreOptions { handover_bytes: 1_000, ..quiet() }).await;
        let mut subscription = store.subscribe(Position::START);
        let large = part("a", Expected::Any, &["small", &"x".repeat(1_000), "small"]);
        let head = store.append(append([large])).await.unwrap().position;
        let events = followed(&mut subscription, head).await;
        assert_eq!(events, store.read_all(Position::START, 10).await.unwrap());
        assert_eq!(subscription.reads(), 1);
    })
    .await;
}
