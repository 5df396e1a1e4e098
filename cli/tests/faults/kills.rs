//! `kill -9` of processes of the product, at random.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::steps;
use crate::world::World;

/// Processes that die at one moment, at least and at most.
const AT_ONCE: [usize; 2] = [2, 4];

/// Any of the processes at any moment.
#[derive(Default)]
pub struct Kills {
    killed: Vec<usize>,
    rounds: usize,
}

#[async_trait]
impl Fault for Kills {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn times(&self, world: &World) -> usize {
        // Those of `kill-at-each-step` count, too.
        let [least, most] = AT_ONCE;
        let wanted = world.settings.kills.saturating_sub(steps::KILLS_MIN);
        wanted.div_ceil(usize::midpoint(least, most))
    }

    fn requests(&self) -> u64 {
        8
    }

    async fn inject(&mut self, world: &mut World) {
        let [least, most] = AT_ONCE;
        // Few and many in turn, so that their number is known.
        self.rounds += 1;
        let count = least + self.rounds % (most - least + 1);
        while self.killed.len() < count {
            let slot = world.dice.below(world.slots.len());
            if !self.killed.contains(&slot) {
                world.kill(slot);
                self.killed.push(slot);
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        world.revive_all(&std::mem::take(&mut self.killed));
    }
}
