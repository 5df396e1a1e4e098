//! Reading one's own writes, with projections here or in another process.

use std::time::Duration;

use keynest_projections::Projections;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::world::*;

const LONG: Duration = Duration::from_secs(60);

#[sqlx::test(migrations = false)]
async fn what_is_visible_is_in_the_rows(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    for number in 0..20 {
        let user = keynest_domain::UserId::new(100 + number);
        world.register(user, "Somebody").await;
        let head = world.store.head().await.unwrap();
        assert!(world.projections.visibility().wait_for(head, &["users", "projects"], LONG).await);
        assert!(world.queries.user(user).await.unwrap().is_some());
    }
    stop.cancel();
    running.wait().await;
}

#[sqlx::test(migrations = false)]
async fn a_process_without_projections_sees_how_far_they_are(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    let elsewhere =
        Projections::new(world.store.clone(), world.keyring.clone(), world.read.clone());
    let stop = CancellationToken::new();
    let following = elsewhere.follow(&stop);
    world.acme().await;
    let head = world.store.head().await.unwrap();
    assert!(!elsewhere.visibility().wait_for(head, &["users"], Duration::ZERO).await);
    let waiting = tokio::spawn({
        let visibility = elsewhere.visibility().clone();
        let names = ["users", "projects", "audit_log"];
        async move { visibility.wait_for(head, &names, LONG).await }
    });
    world.catch_up().await;
    assert!(waiting.await.unwrap());
    // News that do not concern `projects` need no moved checkpoint to be seen as none of its business.
    world.signs_in(ANN, session(1), at(5)).await;
    let head = world.store.head().await.unwrap();
    assert!(elsewhere.visibility().wait_for(head, &["projects"], LONG).await);
    assert!(!elsewhere.visibility().wait_for(head, &["users"], Duration::from_millis(1)).await);
    stop.cancel();
    following.wait().await;
}

#[sqlx::test(migrations = false)]
async fn rows_that_a_crash_took_back_are_projected_again(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    world.person(ANN, "Ann").await;
    let head = world.store.head().await.unwrap();
    assert!(world.projections.visibility().wait_for(head, &["users"], LONG).await);
    // As after a crash that lost the last commits: rows and checkpoint gone back, connections lost.
    let crash = "with rows as (delete from users), back as (update checkpoints set position = 0 where name = 'users')
                 select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(crash).execute(&world.read).await.unwrap();
    let again = async {
        while world.queries.user(ANN).await.unwrap_or_default().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, again).await.unwrap();
    stop.cancel();
    running.wait().await;
}
