//! Rebuilt equals live, also while the log grows and queries are asked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keynest_domain::user::{NoticesSwitched, User};
use keynest_projections::{RebuildError, TableComparison};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::history::{Dice, History};
use crate::world::*;

const LONG: Duration = Duration::from_secs(60);
const STEPS: usize = 300;
/// Enough for a swap to meet an event that comes between the last pass and the lock.
const SWAPS: usize = 10;

async fn assert_rebuilt_equals_live(world: &World) {
    let mut rows = 0;
    for projection in keynest_projections::all() {
        let name = projection.name();
        for table in world.projections.compare_with_rebuild(name).await.unwrap() {
            assert!(table.is_equal(), "{table:?}");
            rows += table.live.rows;
        }
    }
    assert!(rows > 0);
    let parked = world.projections.status().await.unwrap();
    assert!(parked.iter().all(|status| status.parked.is_empty()), "{parked:?}");
}

async fn schemas_left_behind(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from pg_namespace where nspname like 'read\\_rebuild%'")
        .fetch_one(&world.read)
        .await
        .unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_random_history_gives_the_same_rows_in_any_batches(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    let (mut dice, mut history) = (Dice::new(20_260_301), History::default());
    for _ in 0..STEPS {
        history.step(&world, &mut dice).await;
        // Live it comes in small batches, replayed in large ones.
        if dice.below(3) == 0 {
            world.catch_up().await;
        }
    }
    world.catch_up().await;
    assert_rebuilt_equals_live(&world).await;
    assert_eq!(schemas_left_behind(&world).await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_log_in_postgres_is_followed_live_and_replayed_alike(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::durable(options).await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    let (mut dice, mut history) = (Dice::new(41), History::default());
    for _ in 0..STEPS / 4 {
        history.step(&world, &mut dice).await;
    }
    let head = world.store.head().await.unwrap();
    let names: Vec<&str> = keynest_projections::all().iter().map(|it| it.name()).collect();
    assert!(world.projections.visibility().wait_for(head, &names, LONG).await);
    stop.cancel();
    running.wait().await;
    assert_rebuilt_equals_live(&world).await;
}

#[sqlx::test(migrations = false)]
async fn a_row_that_no_event_made_is_found(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.catch_up().await;
    for (name, plant) in [
        ("users", "update users set email = 'x' where id = 1"),
        ("organizations", "delete from memberships where user_id = 2"),
        ("audit_log", "update audit_log set details = '{}' where position = 1"),
    ] {
        sqlx::query(plant).execute(&world.read).await.unwrap();
        let compared = world.projections.compare_with_rebuild(name).await.unwrap();
        assert!(!compared.iter().all(TableComparison::is_equal), "{name}");
        world.projections.rebuild(name, &|_| ()).await.unwrap();
    }
    assert_rebuilt_equals_live(&world).await;
}

#[sqlx::test(migrations = false)]
async fn a_rebuild_under_load_loses_nothing_and_fails_no_query(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    let (is_done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let writing = async {
        let (mut dice, mut history) = (Dice::new(7), History::starting_at(1_000));
        while !is_done.load(Ordering::SeqCst) {
            history.step(&world, &mut dice).await;
            // As fast as the projections are, not as fast as memory is.
            let head = world.store.head().await.unwrap();
            assert!(world.projections.visibility().wait_for(head, &["audit_log"], LONG).await);
        }
    };
    let asking = async {
        while !is_done.load(Ordering::SeqCst) {
            let members = world.queries.list_members(ANN, ACME).await.unwrap();
            if let Some(members) = members {
                let row = world.queries.organization(BOB, ACME).await.unwrap().unwrap();
                assert_eq!(row.member_count, 2);
                assert_eq!(members.members.len(), 2);
                asked.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let rebuilding = async {
        let head = world.store.head().await.unwrap();
        let seen = world.projections.visibility();
        assert!(seen.wait_for(head, &["users", "organizations"], LONG).await);
        for _ in 0..3 {
            for name in ["organizations", "variables", "audit_log"] {
                world.projections.rebuild(name, &|_| ()).await.unwrap();
            }
        }
        is_done.store(true, Ordering::SeqCst);
    };
    tokio::join!(writing, asking, rebuilding);
    let head = world.store.head().await.unwrap();
    let names: Vec<&str> = keynest_projections::all().iter().map(|it| it.name()).collect();
    assert!(world.projections.visibility().wait_for(head, &names, LONG).await);
    stop.cancel();
    running.wait().await;
    assert!(asked.load(Ordering::SeqCst) > 0);
    assert_rebuilt_equals_live(&world).await;
    assert_eq!(schemas_left_behind(&world).await, 0);
}

#[sqlx::test(migrations = false)]
async fn what_was_visible_stays_visible_when_tables_are_swapped(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    let is_done = AtomicBool::new(false);
    let writing = async {
        while !is_done.load(Ordering::SeqCst) {
            world.happens::<User>(ANN, NoticesSwitched { wanted: true }).await;
            let head = world.store.head().await.unwrap();
            assert!(world.projections.visibility().wait_for(head, &["audit_log"], LONG).await);
            let newest: i64 = sqlx::query_scalar("select max(position) from audit_log")
                .fetch_one(&world.read)
                .await
                .unwrap();
            assert!(u64::try_from(newest).unwrap() >= head.to_stored());
        }
    };
    let rebuilding = async {
        for _ in 0..SWAPS {
            world.projections.rebuild("audit_log", &|_| ()).await.unwrap();
        }
        is_done.store(true, Ordering::SeqCst);
    };
    tokio::join!(writing, rebuilding);
    stop.cancel();
    running.wait().await;
}

#[sqlx::test(migrations = false)]
async fn what_a_killed_rebuild_left_behind_is_swept(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    sqlx::query("create schema read_rebuild_1").execute(&world.read).await.unwrap();
    let both = tokio::join!(
        world.projections.rebuild("users", &|_| ()),
        world.projections.rebuild("projects", &|_| ()),
    );
    both.0.unwrap();
    both.1.unwrap();
    assert_eq!(schemas_left_behind(&world).await, 0);
    assert_eq!(world.queries.list_users(FIRST).await.unwrap().total, 3);
}

#[sqlx::test(migrations = false)]
async fn only_what_exists_is_rebuilt(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    let error = world.projections.rebuild("nothing", &|_| ()).await.unwrap_err();
    assert!(matches!(error, RebuildError::Unknown { name } if name == "nothing"));
    let progress = std::sync::Mutex::new(Vec::new());
    world.acme().await;
    let note = |_, step| progress.lock().unwrap().push(step);
    world.projections.rebuild_all(&note).await.unwrap();
    let steps = progress.into_inner().unwrap();
    assert!(steps.iter().any(|step| step.done == step.total && step.total > 0), "{steps:?}");
    assert_eq!(world.queries.list_users(FIRST).await.unwrap().total, 3);
}
