//! Several processes run one durable: one leads, another takes over; nothing is lost on the way.

use std::future::Future;
use std::time::Duration;

use keynest_store::postgres::connect_store_pool_with;
use keynest_workers::Consumer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::probe::{Answer, Probe};
use crate::world::{World, store_options};

contract!(
    one_leads_and_the_other_takes_over_when_it_stops,
    who_loses_the_connection_loses_the_lead,
    a_lost_lead_is_noticed_and_won_again,
    the_event_in_hand_is_finished_before_a_stop,
    a_running_consumer_retries_by_itself,
    what_nobody_wants_moves_the_checkpoint_too,
);

/// The backends of consumers that have asked for the lead, with success or without.
async fn candidates(world: &World) -> i64 {
    let relays = i64::from(world.nats.is_some());
    let all: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and query like 'select pg_try_advisory_lock%'",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    all - relays
}

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A consumer at work in this process.
pub fn running(consumer: Consumer) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let task = tokio::spawn(consumer.run(stop.clone()));
    (stop, task)
}

/// The backends that hold the lead of `probe`.
async fn leaders(world: &World) -> Vec<i32> {
    sqlx::query_scalar(
        "select pid from pg_locks where locktype = 'advisory' and granted
         and (classid::bigint << 32) | objid::bigint = hashtextextended('keynest consumer probe', 0)
         and database = (select oid from pg_database where datname = current_database())",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

/// Waits for something that another task brings about.
async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes about");
}

async fn one_leads_and_the_other_takes_over_when_it_stops(world: World) {
    let (first, mut to_first) = Probe::heard("probe", |_| Answer::Done);
    let (second, mut to_second) = Probe::heard("probe", |_| Answer::Done);
    let (stop, task) = running(world.consumer(&first).await);
    world.append([1]).await;
    assert_eq!(to_first.recv().await, Some(1));
    let (stop_second, task_second) = running(world.restarted(&second));
    until(|| async { candidates(&world).await == 2 }).await;
    for number in 2..10 {
        world.append([number]).await;
        assert_eq!(to_first.recv().await, Some(number));
    }
    stop.cancel();
    task.await.unwrap();
    world.append([10]).await;
    assert_eq!(to_second.recv().await, Some(10));
    assert_eq!(first.handled(), (1..10).collect::<Vec<_>>());
    assert_eq!(second.handled(), [10], "nothing while the first one led");
    stop_second.cancel();
    task_second.await.unwrap();
    assert!(leaders(&world).await.is_empty(), "who stops resigns");
}

async fn who_loses_the_connection_loses_the_lead(world: World) {
    // A process whose pool can be cut off without the other's.
    let cut = connect_store_pool_with(world.connect.clone(), &store_options()).await.unwrap();
    let (first, mut to_first) = Probe::heard("probe", |_| Answer::Done);
    let (second, mut to_second) = Probe::heard("probe", |_| Answer::Done);
    let feed = world.feed();
    let consumer = Consumer::new(feed, cut.clone(), world.clock.clone(), first);
    let began = consumer.start().await.unwrap();
    let (stop, task) = running(consumer);
    world.append([1]).await;
    assert_eq!(to_first.recv().await, Some(1));
    // Else the next one does it once more.
    until(|| async { world.restarted(&second).start().await.unwrap() > began }).await;
    let (stop_second, task_second) = running(world.restarted(&second));

    let [leader] = leaders(&world).await.try_into().unwrap();
    sqlx::query("select pg_terminate_backend($1)").bind(leader).execute(&world.pool).await.unwrap();
    cut.close().await;
    world.append([2]).await;
    assert_eq!(to_second.recv().await, Some(2));
    let now = leaders(&world).await;
    assert!(now.len() == 1 && now[0] != leader);
    stop.cancel();
    stop_second.cancel();
    task.await.unwrap();
    task_second.await.unwrap();
}

async fn a_lost_lead_is_noticed_and_won_again(world: World) {
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Done);
    let (stop, task) = running(world.consumer(&probe).await);
    world.append([1]).await;
    assert_eq!(arrivals.recv().await, Some(1));
    let [lost] = leaders(&world).await.try_into().unwrap();
    sqlx::query("select pg_terminate_backend($1)").bind(lost).execute(&world.pool).await.unwrap();
    until(|| async { leaders(&world).await.iter().any(|leader| *leader != lost) }).await;
    world.append([2]).await;
    assert_eq!(arrivals.recv().await, Some(2));
    stop.cancel();
    task.await.unwrap();
}

async fn the_event_in_hand_is_finished_before_a_stop(world: World) {
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Wait);
    let (stop, task) = running(world.consumer(&probe).await);
    world.append([1, 2]).await;
    assert_eq!(arrivals.recv().await, Some(1));
    stop.cancel();
    probe.gate.notify_one();
    task.await.unwrap();
    let next = Probe::new("probe", |_| Answer::Done);
    world.restarted(&next).drain().await.unwrap();
    assert_eq!((probe.handled(), next.handled()), (vec![1], vec![2]));
}

async fn a_running_consumer_retries_by_itself(world: World) {
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Retry);
    let (stop, task) = running(world.consumer(&probe).await);
    world.append([1]).await;
    assert_eq!(arrivals.recv().await, Some(1));
    until(|| async { !world.waiting("probe").await.is_empty() }).await;
    world.clock.advance(keynest_domain::Lifetime::from_minutes(1));
    assert_eq!(arrivals.recv().await, Some(1));
    stop.cancel();
    task.await.unwrap();
}

async fn what_nobody_wants_moves_the_checkpoint_too(world: World) {
    let probe = Probe::new("probe", |_| Answer::Done);
    let (stop, task) = running(world.consumer(&probe).await);
    world.append_raw(vec![super::probe::unwanted()]).await;
    let head = world.store.head().await.unwrap();
    until(|| async { world.restarted(&probe).start().await.unwrap() == head }).await;
    stop.cancel();
    task.await.unwrap();
}
