//! Wires are cut: between one process and what it needs, both ways or only the way back.

use std::time::Duration;

use async_trait::async_trait;

use crate::carrier;
use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::wire::{Cut, Target};
use crate::world::{Role, World};

/// A process of a kind loses one of its wires, or both processes do.
pub struct Partition {
    name: &'static str,
    role: Role,
    target: Target,
    cut: Cut,
    wrong: Vec<String>,
    /// How often the mailer's feed was interrupted before.
    interrupted: f64,
}

/// How often a wire to Postgres breaks before it is silent: each time whatever was under way fails in the middle.
const BREAKS: usize = 5;
/// Requests between them.
const REQUESTS_BETWEEN: u64 = 3;
/// Until an API says that it cannot, and no longer waits for an answer.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(25);

impl Partition {
    pub fn new(name: &'static str, role: Role, target: Target, cut: Cut) -> Self {
        Self { name, role, target, cut, wrong: Vec::new(), interrupted: 0.0 }
    }

    /// One of two that serve at the same time; of two of which one leads, both.
    fn slots(&self, world: &mut World) -> Vec<usize> {
        let of_kind: Vec<usize> =
            (0..world.slots.len()).filter(|slot| world.slots[*slot].role == self.role).collect();
        if self.target == Target::Postgres {
            vec![of_kind[world.dice.below(of_kind.len())]]
        } else {
            of_kind
        }
    }
}

#[async_trait]
impl Fault for Partition {
    fn name(&self) -> &'static str {
        self.name
    }

    fn requests(&self) -> u64 {
        12
    }

    async fn inject(&mut self, world: &mut World) {
        world.disturb();
        let slots = self.slots(world);
        if self.target == Target::Postgres && self.cut == Cut::Both {
            for _ in 0..BREAKS {
                let shed = world.ledger.open().shed;
                world.wires.cut(slots[0], self.target, Cut::Reset);
                match self.role {
                    // Longer than it tries by itself.
                    Role::Api => gives_up(world, shed).await,
                    Role::Project | Role::Work => fault::hold(world, REQUESTS_BETWEEN).await,
                }
                world.wires.mend_all();
                fault::hold(world, REQUESTS_BETWEEN).await;
            }
            world.disturb();
        }
        if self.target == Target::Nats {
            self.interrupted = carrier::interrupted(world).await;
        }
        let shed = world.ledger.open().shed;
        slots.iter().for_each(|slot| world.wires.cut(*slot, self.target, self.cut));
        match (self.role, self.target) {
            (Role::Api, _) => gives_up(world, shed).await,
            // The other one of its kind takes over while the wire is cut.
            (Role::Project | Role::Work, Target::Postgres) => fault::catch_up(world).await,
            (Role::Project | Role::Work, Target::Mail) => {
                fault::mail_fails(world).await;
            }
            (Role::Project | Role::Work, Target::Nats) => {
                if !carrier::notices(world, self.interrupted).await {
                    self.wrong.push(format!("{}: nobody notices", self.name));
                }
                world.newcomer().await;
                if !carrier::mails_without(world).await {
                    self.wrong.push(format!("{}: the mailer waits for NATS", self.name));
                }
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        world.wires.mend_all();
        world.disturb();
    }

    async fn check(&mut self, _world: &mut World, findings: &mut Findings) {
        self.wrong.drain(..).for_each(|what| findings.add("I11", what));
    }
}

/// Until a request was answered by a process that cannot do it. Where nobody asks it anything it need not.
async fn gives_up(world: &World, before: u64) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let shed = async {
        while world.ledger.open().shed <= before {
            every.tick().await;
        }
    };
    let _ = tokio::time::timeout(GIVEN_UP_WITHIN, shed).await;
}
