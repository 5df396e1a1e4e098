//! What cannot be handled now: put off, tried again when it is due, and a dead letter in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keynest_domain::{EventId, Lifetime, Timestamp};
use keynest_workers::{WAITS, Work};

use super::probe::{Answer, Probe, WANTED};
use crate::world::World;

contract!(
    failed_work_is_tried_after_the_documented_waits_and_then_dies,
    work_that_goes_well_later_is_done,
    giving_up_makes_a_dead_letter_at_once,
    a_replayed_dead_letter_has_all_its_tries_again,
    work_whose_event_a_restore_took_is_dropped,
);

const SECOND: Lifetime = Lifetime::from_secs(1);

impl World {
    /// What waits, due or not.
    pub async fn waiting(&self, durable: &str) -> Vec<Work> {
        let for_ever = Timestamp::from_micros(4_000_000_000_000_000);
        self.work.due(durable, for_ever, 100).await.unwrap()
    }
}

async fn failed_work_is_tried_after_the_documented_waits_and_then_dies(world: World) {
    let probe = Probe::new("probe", |_| Answer::Retry);
    let consumer = world.consumer(&probe).await;
    world.append([1]).await;
    for (index, wait) in WAITS.into_iter().enumerate() {
        let before = world.clock.now();
        consumer.drain().await.unwrap();
        let after = world.clock.now();
        let [work] = world.waiting("probe").await.try_into().unwrap();
        assert_eq!((work.attempts, work.event_name.as_str()), (index as u32 + 1, WANTED));
        assert_eq!(work.error, "handle later: not now");
        let most = Lifetime::from_secs(wait.secs() + wait.secs() / 5);
        assert!(work.due_at >= before + wait && work.due_at <= after + most, "try {index}");

        world.clock.advance(Lifetime::from_secs(wait.secs() - 1));
        if wait.secs() > 60 {
            consumer.drain().await.unwrap();
            assert_eq!(probe.handled().len(), index + 1, "not before it is due");
        }
        world.clock.advance(Lifetime::from_secs(wait.secs() / 5 + 2));
    }
    assert!(world.work.dead_letters().await.unwrap().is_empty());
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled().len(), WAITS.len() + 1);
    let [dead] = world.work.dead_letters().await.unwrap().try_into().unwrap();
    assert_eq!((dead.durable.as_str(), dead.attempts), ("probe", 7));
    assert_eq!(world.work.counts("probe").await.unwrap(), (0, 1));
}

async fn work_that_goes_well_later_is_done(world: World) {
    let is_well = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_well);
    let probe = Probe::new("probe", move |_| match seen.load(Ordering::Relaxed) {
        true => Answer::Done,
        false => Answer::Retry,
    });
    let consumer = world.consumer(&probe).await;
    world.append([1, 2]).await;
    consumer.drain().await.unwrap();
    assert_eq!(world.work.counts("probe").await.unwrap(), (2, 0));
    is_well.store(true, Ordering::Relaxed);
    world.clock.advance(Lifetime::from_secs(10));
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1, 2, 1, 2]);
    assert_eq!(world.work.counts("probe").await.unwrap(), (0, 0));
}

async fn giving_up_makes_a_dead_letter_at_once(world: World) {
    let probe = Probe::new("probe", |_| Answer::GiveUp);
    let consumer = world.consumer(&probe).await;
    world.append([1]).await;
    consumer.drain().await.unwrap();
    world.clock.advance(Lifetime::from_days(1));
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1]);
    let [dead] = world.work.dead_letters().await.unwrap().try_into().unwrap();
    assert_eq!((dead.attempts, dead.error.as_str()), (1, "give up: never"));
}

async fn a_replayed_dead_letter_has_all_its_tries_again(world: World) {
    let probe = Probe::new("probe", |_| Answer::GiveUp);
    let consumer = world.consumer(&probe).await;
    world.append([1, 2]).await;
    consumer.drain().await.unwrap();
    let dead = world.work.dead_letters().await.unwrap();
    assert_eq!(world.work.replay(Some(dead[1].event_id), world.clock.now()).await.unwrap(), 1);
    assert_eq!(world.waiting("probe").await[0].attempts, 0);
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1, 2, 2]);
    assert_eq!(world.work.replay(None, world.clock.now()).await.unwrap(), 2);
    world.clock.advance(SECOND);
    let well = Probe::new("probe", |_| Answer::Done);
    world.restarted(&well).drain().await.unwrap();
    assert_eq!(well.handled(), [1, 2]);
    assert!(world.work.dead_letters().await.unwrap().is_empty());
}

async fn work_whose_event_a_restore_took_is_dropped(world: World) {
    let probe = Probe::new("probe", |_| Answer::Retry);
    let consumer = world.consumer(&probe).await;
    world.append([1]).await;
    consumer.drain().await.unwrap();
    let other = EventId::new(world.clock.command_id().get());
    sqlx::query("update work set event_id = $1")
        .bind(other.get())
        .execute(&world.pool)
        .await
        .unwrap();
    world.clock.advance(Lifetime::from_minutes(1));
    consumer.drain().await.unwrap();
    assert_eq!(probe.handled(), [1]);
    assert_eq!(world.work.counts("probe").await.unwrap(), (0, 0));
}
