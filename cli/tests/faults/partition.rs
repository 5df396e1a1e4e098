//! Wires are cut: between one process and what it needs, both ways or only the way back.

use async_trait::async_trait;

use crate::fault::{self, Fault};
use crate::wire::{Cut, Target};
use crate::world::{Role, World};

/// One process of a kind loses one of its wires.
pub struct Partition {
    pub name: &'static str,
    pub role: Role,
    pub target: Target,
    pub cut: Cut,
}

#[async_trait]
impl Fault for Partition {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Longer than the callers wait.
    fn requests(&self) -> u64 {
        40
    }

    async fn inject(&mut self, world: &mut World) {
        world.disturb();
        let of_kind: Vec<usize> =
            (0..world.slots.len()).filter(|slot| world.slots[*slot].role == self.role).collect();
        let slot = of_kind[world.dice.below(of_kind.len())];
        world.wires.cut(slot, self.target, self.cut);
        if self.role != Role::Api && self.target == Target::Postgres {
            // The other one of its kind takes over while the wire is cut.
            fault::catch_up(world).await;
        }
    }

    async fn heal(&mut self, world: &mut World) {
        world.wires.mend_all();
        world.disturb();
    }
}
