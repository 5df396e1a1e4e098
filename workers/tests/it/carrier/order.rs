//! Where a consumer starts, and that it gets every wanted event once and in order.

use keynest_store::EventStore;
use keynest_store::postgres::{Postgres, renew_incarnation};
use keynest_workers::Consumer;

use super::probe::{Answer, Probe};
use crate::world::{World, store_options};

contract!(
    a_new_consumer_starts_at_the_head,
    every_wanted_event_comes_once_and_in_order,
    a_restarted_consumer_goes_on_where_it_stood,
    two_durables_get_every_event_each,
    in_a_new_life_of_the_log_a_consumer_starts_at_its_head,
    a_consumer_whose_checkpoint_was_moved_stops,
);

async fn a_new_consumer_starts_at_the_head(world: World) {
    world.append([1, 2]).await;
    let probe = Probe::new("probe", |_| Answer::Done);
    let consumer = world.consumer(&probe).await;
    world.append([3]).await;
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [3]);
}

async fn every_wanted_event_comes_once_and_in_order(world: World) {
    let probe = Probe::new("probe", |_| Answer::Done);
    let consumer = world.consumer(&probe).await;
    world.append(0..300).await;
    world.append(300..400).await;
    consumer.drain().await.unwrap();
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), (0..400).collect::<Vec<_>>());
}

async fn a_restarted_consumer_goes_on_where_it_stood(world: World) {
    let first = Probe::new("probe", |_| Answer::Done);
    let consumer = world.consumer(&first).await;
    world.append([1, 2]).await;
    consumer.drain().await.unwrap();
    drop(consumer);
    world.append([3]).await;
    let second = Probe::new("probe", |_| Answer::Done);
    world.restarted(&second).drain().await.unwrap();
    assert_eq!((first.handled(), second.handled()), (vec![1, 2], vec![3]));
}

async fn two_durables_get_every_event_each(world: World) {
    let probes = ["probe", "other"].map(|durable| Probe::new(durable, |_| Answer::Done));
    let consumers = [world.consumer(&probes[0]).await, world.consumer(&probes[1]).await];
    world.append([1, 2]).await;
    for consumer in consumers {
        consumer.drain().await.unwrap();
    }
    assert_eq!(probes.map(|probe| probe.handled()), [[1, 2], [1, 2]]);
}

async fn in_a_new_life_of_the_log_a_consumer_starts_at_its_head(world: World) {
    let probe = Probe::new("probe", |_| Answer::Done);
    world.consumer(&probe).await;
    world.append([1]).await;
    renew_incarnation(&world.pool).await.unwrap();
    let restored = Postgres::open(world.pool.clone(), &store_options()).await.unwrap();
    let feed = world.feed_of(EventStore::Postgres(restored));
    let consumer = Consumer::new(feed, world.pool.clone(), world.clock.clone(), probe.clone());
    consumer.drain().await.unwrap();
    world.append([2]).await;
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [2]);
}

async fn a_consumer_whose_checkpoint_was_moved_stops(world: World) {
    let (probe, mut arrivals) = Probe::heard("probe", |_| Answer::Wait);
    let consumer = world.consumer(&probe).await;
    world.append([1]).await;
    let draining = tokio::spawn(async move { consumer.drain().await });
    assert_eq!(arrivals.recv().await, Some(1));
    let moved = Probe::new("probe", |_| Answer::Done);
    world.restarted(&moved).drain().await.unwrap();
    probe.gate.notify_one();
    let error = draining.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "another consumer moved the checkpoint of probe");
}
