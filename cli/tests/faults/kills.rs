//! `kill -9` of processes of the product, at random.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::steps;
use crate::world::World;

/// Processes that die at one moment.
const AT_ONCE: usize = 2;

/// Any two processes at any moment.
#[derive(Default)]
pub struct Kills {
    killed: Vec<usize>,
}

#[async_trait]
impl Fault for Kills {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn times(&self, world: &World) -> usize {
        // Those of `kill-at-each-step` count, too.
        world.settings.kills.saturating_sub(steps::KILLS_MIN).div_ceil(AT_ONCE)
    }

    fn requests(&self) -> u64 {
        8
    }

    async fn inject(&mut self, world: &mut World) {
        while self.killed.len() < AT_ONCE {
            let slot = world.dice.below(world.slots.len());
            if !self.killed.contains(&slot) {
                world.kill(slot);
                self.killed.push(slot);
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        for slot in self.killed.drain(..) {
            world.revive(slot);
        }
    }
}
