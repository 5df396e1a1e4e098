//! An effect is written down before it happens, so that a repeat knows.

use keynest_domain::{EventId, Lifetime};
use keynest_workers::Begun;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::World;

const KIND: &str = "welcome";

impl World {
    fn event(&self) -> EventId {
        EventId::new(self.clock.command_id().get())
    }

    async fn begin(&self, event: EventId, to: &str, message_id: &str) -> Begun {
        self.effects.begin(event, KIND, to, message_id, self.clock.now()).await.unwrap()
    }
}

#[sqlx::test(migrations = false)]
async fn what_is_done_is_not_begun_again(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let event = world.event();
    assert_eq!(world.begin(event, "7", "<a>").await, Begun::Open("<a>".to_owned()));
    world.effects.finish(event, KIND, "7", world.clock.now()).await.unwrap();
    assert_eq!(world.begin(event, "7", "<a>").await, Begun::Done);
    assert_eq!(world.begin(event, "8", "<b>").await, Begun::Open("<b>".to_owned()));
}

#[sqlx::test(migrations = false)]
async fn after_a_crash_it_is_open_still_under_its_first_id(
    _: PgPoolOptions,
    connect: PgConnectOptions,
) {
    let world = World::new(connect).await;
    let event = world.event();
    world.begin(event, "7", "<first>").await;
    assert_eq!(world.begin(event, "7", "<second>").await, Begun::Open("<first>".to_owned()));
}

#[sqlx::test(migrations = false)]
async fn what_was_refused_stays_so(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let event = world.event();
    world.begin(event, "7", "<a>").await;
    world.effects.refuse(event, KIND, "7", world.clock.now()).await.unwrap();
    assert_eq!(world.begin(event, "7", "<a>").await, Begun::Refused);
}

#[sqlx::test(migrations = false)]
async fn old_effects_are_forgotten_in_batches(_: PgPoolOptions, connect: PgConnectOptions) {
    let world = World::new(connect).await;
    let old = world.event();
    for to in ["1", "2", "3"] {
        world.begin(old, to, "<a>").await;
        world.effects.finish(old, KIND, to, world.clock.now()).await.unwrap();
    }
    world.clock.advance(Lifetime::from_days(1));
    let before = world.clock.now();
    let new = world.event();
    world.begin(new, "1", "<a>").await;
    world.effects.finish(new, KIND, "1", world.clock.now()).await.unwrap();
    assert_eq!(world.effects.prune(before, 2).await.unwrap(), 2);
    assert_eq!(world.effects.prune(before, 2).await.unwrap(), 1);
    assert_eq!(world.begin(new, "1", "<a>").await, Begun::Done);
}
