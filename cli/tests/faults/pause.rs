//! A process that stands still for a while (SIGSTOP), and wakes up in a world that has gone on.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::running::signal;
use crate::world::World;

/// One process of each kind.
#[derive(Default)]
pub struct Paused {
    pids: Vec<String>,
}

#[async_trait]
impl Fault for Paused {
    fn name(&self) -> &'static str {
        "paused"
    }

    async fn inject(&mut self, world: &mut World) {
        // It may hold the lead, and lose it while it stands still.
        world.disturb();
        let first = world.dice.below(2);
        self.pids = [first, 2 + first, 4 + first].map(|slot| world.pid(slot).to_string()).into();
        self.pids.iter().for_each(|pid| signal("STOP", pid));
    }

    async fn heal(&mut self, world: &mut World) {
        self.pids.drain(..).for_each(|pid| signal("CONT", &pid));
        world.disturb();
    }
}
