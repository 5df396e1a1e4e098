//! `kill -9` of processes of the product, at random; every other time while a mail is under way.

use std::time::Duration;

use async_trait::async_trait;

use crate::checker::Findings;
use crate::fault::Fault;
use crate::sink::Mood;
use crate::steps;
use crate::world::World;

/// Processes that die at one moment, at least and at most. While no `project` lives, whoever was removed is let in for longer than
/// I10 allows: all six at once would find that again and again.
const AT_ONCE: [usize; 2] = [2, 4];
/// Kills before anything is looked at.
const PART: usize = 50;
/// Somebody is sent a mail in this time, mostly.
const MAIL_WITHIN: Duration = Duration::from_secs(1);
/// How many of a hundred steps are imports then.
const HURRY: usize = 50;

/// Any of the processes at any moment.
pub struct Kills {
    wanted: usize,
    killed: Vec<usize>,
    rounds: usize,
    is_hurried: bool,
}

impl Kills {
    /// The first kills, among people who do this and that.
    pub fn first(all: usize) -> Self {
        // Those of `kill-at-each-step` count, too.
        Self::of(all.saturating_sub(steps::KILLS_MIN).min(PART), false)
    }

    /// All others, part by part, among people who import much.
    pub fn others(all: usize) -> impl Iterator<Item = Self> {
        let others = all.saturating_sub(steps::KILLS_MIN + PART);
        (0..others.div_ceil(PART)).map(move |part| Self::of((others - part * PART).min(PART), true))
    }

    fn of(wanted: usize, is_hurried: bool) -> Self {
        Self { wanted, killed: Vec::new(), rounds: 0, is_hurried }
    }
}

#[async_trait]
impl Fault for Kills {
    fn name(&self) -> &'static str {
        "kill"
    }

    fn times(&self, _world: &World) -> usize {
        let [least, most] = AT_ONCE;
        self.wanted.div_ceil(usize::midpoint(least, most))
    }

    fn requests(&self) -> u64 {
        8
    }

    async fn inject(&mut self, world: &mut World) {
        let [least, most] = AT_ONCE;
        if self.is_hurried {
            let mut book = world.ledger.open();
            book.hurry = if book.events < world.settings.events { HURRY } else { 0 };
        }
        // Few and many in turn, so that their number is known.
        self.rounds += 1;
        if self.rounds.is_multiple_of(2) {
            world.sink.feel(Mood::Slow);
            // In the middle of a mail, if there is one.
            let _ = tokio::time::timeout(MAIL_WITHIN, world.sink.until_one_begins()).await;
        }
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
        world.sink.feel(Mood::Well);
    }

    async fn check(&mut self, world: &mut World, _findings: &mut Findings) {
        world.ledger.open().hurry = 0;
    }
}
