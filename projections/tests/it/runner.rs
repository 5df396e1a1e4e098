//! Checkpoints: two runners, restarts, other logs, other versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use keynest_crypto::Keyring;
use keynest_domain::key::KeyDestroyed;
use keynest_domain::user::{NoticesSwitched, User};
use keynest_projections::*;
use keynest_store::EventStore;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::world::*;

const LONG: Duration = Duration::from_secs(60);

/// `users`, but it stops in the middle of its first transaction until it is let go.
struct Paused {
    reached: Arc<Notify>,
    go: Arc<Notify>,
    has_paused: AtomicBool,
    version: i32,
}

#[async_trait]
impl Projection for Paused {
    fn name(&self) -> &'static str {
        Users.name()
    }
    fn version(&self) -> i32 {
        self.version
    }
    fn tables(&self) -> &'static [&'static str] {
        Users.tables()
    }
    fn categories(&self) -> Categories {
        Users.categories()
    }
    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        if !self.has_paused.swap(true, Ordering::SeqCst) {
            self.reached.notify_one();
            self.go.notified().await;
        }
        Users.apply(events, rows, keyring).await
    }
    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        Users.forget(key, rows).await
    }
}

fn paused(version: i32) -> Paused {
    let (reached, go) = Default::default();
    Paused { reached, go, has_paused: AtomicBool::new(false), version }
}

fn second(world: &World, projection: Arc<dyn Projection>) -> Projections {
    let (store, keyring, read) = (world.store.clone(), world.keyring.clone(), world.read.clone());
    Projections::of(vec![projection], store, keyring, read)
}

#[sqlx::test(migrations = false)]
async fn a_second_runner_fails_instead_of_overwriting(_: PgPoolOptions, options: PgConnectOptions) {
    let first = paused(1);
    let (reached, go) = (first.reached.clone(), first.go.clone());
    let world = World::with(options, vec![Arc::new(first)]).await;
    world.person(ANN, "Ann").await;
    let running = tokio::spawn({
        let projections = world.projections.clone();
        async move { projections.catch_up().await }
    });
    reached.notified().await;
    // It has read the same checkpoint and now waits for the first one's transaction.
    let second = second(&world, Arc::new(Users));
    let overtaken = tokio::spawn({
        let second = second.clone();
        async move { second.catch_up().await }
    });
    let waits = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
    let mut waiting = 0_i64;
    while waiting == 0 {
        waiting = sqlx::query_scalar(waits).fetch_one(&world.read).await.unwrap();
        tokio::task::yield_now().await;
    }
    go.notify_one();
    running.await.unwrap().unwrap();
    let error = overtaken.await.unwrap().unwrap_err();
    assert!(matches!(error, RunnerError::Overtaken { projection: "users" }), "{error}");
    // Having read the checkpoint again, it goes on.
    world.person(BOB, "Bob").await;
    second.catch_up().await.unwrap();
    assert_eq!(world.queries.list_users(FIRST).await.unwrap().total, 2);
}

#[sqlx::test(migrations = false)]
async fn two_live_runners_write_every_row_once(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    let other = Projections::new(world.store.clone(), world.keyring.clone(), world.read.clone());
    let stop = CancellationToken::new();
    let running = [world.projections.start(&stop), other.start(&stop)];
    let mut last = keynest_store::Position::START;
    for number in 0..40 {
        let user = keynest_domain::UserId::new(1_000 + number);
        world.register(user, &format!("User{number}")).await;
        last = world.happens::<User>(user, NoticesSwitched { wanted: true }).await;
    }
    for projections in [&world.projections, &other] {
        let (seen, names) = (projections.visibility(), ["users", "audit_log"]);
        assert!(seen.wait_for(last, &names, LONG).await);
    }
    stop.cancel();
    for runners in running {
        runners.wait().await;
    }
    assert_eq!(world.queries.list_users(FIRST).await.unwrap().total, 40);
    for name in ["users", "audit_log"] {
        let compared = world.projections.compare_with_rebuild(name).await.unwrap();
        assert!(compared.iter().all(TableComparison::is_equal), "{compared:?}");
        let status = world.projections.status().await.unwrap();
        assert!(status.iter().all(|it| it.parked.is_empty() && it.events_behind == 0));
    }
}

#[sqlx::test(migrations = false)]
async fn a_stopped_runner_has_stored_how_far_it_came(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    // None of the business of `projects`, so its checkpoint follows late.
    world.person(ANN, "Ann").await;
    let head = world.store.head().await.unwrap();
    assert!(world.projections.visibility().wait_for(head, &["projects"], LONG).await);
    stop.cancel();
    running.wait().await;
    let stored: i64 =
        sqlx::query_scalar("select position from checkpoints where name = 'projects'")
            .fetch_one(&world.read)
            .await
            .unwrap();
    assert_eq!(u64::try_from(stored).unwrap(), head.to_stored());
}

#[sqlx::test(migrations = false)]
async fn another_life_of_the_log_asks_for_a_rebuild(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    world.catch_up().await;
    let restored = World { store: EventStore::memory(), ..world.clone() };
    restored.register(ANN, "Anna").await;
    let projections = second(&restored, Arc::new(Users));
    let error = projections.catch_up().await.unwrap_err();
    assert!(matches!(error, RunnerError::OtherIncarnation { .. }), "{error}");
    let status = projections.status().await.unwrap().remove(0);
    assert_eq!((status.footing, status.needs_rebuild()), (Footing::OtherIncarnation, true));
    // The accounts' old rows stay readable until then.
    assert_eq!(world.queries.user(ANN).await.unwrap().unwrap().full_name, "Ann");
    projections.rebuild("users", &|_| ()).await.unwrap();
    projections.catch_up().await.unwrap();
    assert_eq!(world.queries.user(ANN).await.unwrap().unwrap().full_name, "Anna");
}

#[sqlx::test(migrations = false)]
async fn another_version_asks_for_a_rebuild(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    world.catch_up().await;
    let newer = paused(2);
    newer.has_paused.store(true, Ordering::SeqCst);
    let projections = second(&world, Arc::new(newer));
    let error = projections.catch_up().await.unwrap_err();
    assert!(matches!(error, RunnerError::OtherVersion { stored: 1, current: 2, .. }), "{error}");
    projections.rebuild("users", &|_| ()).await.unwrap();
    projections.catch_up().await.unwrap();
    assert_eq!(projections.status().await.unwrap()[0].footing, Footing::Sound);
    let older = second(&world, Arc::new(Users)).catch_up().await.unwrap_err();
    assert!(matches!(older, RunnerError::OtherVersion { stored: 2, current: 1, .. }));
}
