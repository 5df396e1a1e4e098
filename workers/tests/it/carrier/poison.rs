//! One event that nobody can handle: it waits alone, and everything else goes on.

use std::time::Duration;

use super::probe::{Answer, Probe, WANTED, numbered, raw};
use crate::world::World;

contract!(
    a_handler_that_panics_fails_that_event_only,
    a_handler_that_hangs_is_stopped,
    a_wanted_event_of_a_newer_version_waits_for_a_newer_binary,
    a_wanted_event_of_damaged_bytes_is_a_dead_letter,
);

async fn a_handler_that_panics_fails_that_event_only(world: World) {
    let probe = Probe::new("probe", |number| match number {
        2 => Answer::Panic,
        _ => Answer::Done,
    });
    let other = Probe::new("other", |_| Answer::Done);
    let (consumer, others) = (world.consumer(&probe).await, world.consumer(&other).await);
    world.append([1, 2, 3]).await;
    consumer.drain().await.unwrap();
    others.drain().await.unwrap();
    assert_eq!(probe.handled(), [1, 2, 3]);
    assert_eq!(other.handled(), [1, 2, 3]);
    let [work] = world.waiting("probe").await.try_into().unwrap();
    assert_eq!(work.error, "handle later: the handler panicked");
    assert!(world.waiting("other").await.is_empty());
}

async fn a_handler_that_hangs_is_stopped(world: World) {
    let probe = Probe::new("probe", |number| match number {
        1 => Answer::Hang,
        _ => Answer::Done,
    });
    let consumer = world.consumer(&probe).await.handle_max(Duration::from_millis(20));
    world.append([1, 2]).await;
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1, 2]);
    let [work] = world.waiting("probe").await.try_into().unwrap();
    assert_eq!(work.error, "handle later: the handler took too long");
}

async fn a_wanted_event_of_a_newer_version_waits_for_a_newer_binary(world: World) {
    let probe = Probe::new("probe", |_| Answer::Done);
    let consumer = world.consumer(&probe).await;
    world.append_raw(vec![raw(WANTED, 99, "{}"), numbered(1)]).await;
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1]);
    let [work] = world.waiting("probe").await.try_into().unwrap();
    assert!(work.error.ends_with("is not known to this binary"), "{}", work.error);
}

async fn a_wanted_event_of_damaged_bytes_is_a_dead_letter(world: World) {
    let probe = Probe::new("probe", |_| Answer::Done);
    let consumer = world.consumer(&probe).await;
    world.append_raw(vec![raw(WANTED, 1, r#"{"at":"#), numbered(1)]).await;
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1]);
    assert_eq!(world.work.counts("probe").await.unwrap(), (0, 1));
}
