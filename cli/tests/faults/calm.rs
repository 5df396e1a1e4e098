//! No fault at all: what the others are compared with, and the load that goes on until enough events are acknowledged.

use std::time::Duration;

use async_trait::async_trait;

use crate::fault::Fault;
use crate::world::World;

/// Between two looks at the ledger.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub struct Calm;

#[async_trait]
impl Fault for Calm {
    fn name(&self) -> &'static str {
        "none"
    }

    fn times(&self, _world: &World) -> usize {
        1
    }

    fn requests(&self) -> u64 {
        40
    }

    async fn inject(&mut self, world: &mut World) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        let events = || world.ledger.open().events;
        world.ledger.open().hurry = if events() < world.settings.events { 100 } else { 0 };
        while events() < world.settings.events {
            every.tick().await;
        }
        world.ledger.open().hurry = 0;
    }

    async fn heal(&mut self, _world: &mut World) {}
}
