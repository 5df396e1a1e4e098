//! A process that stands still for a while (SIGSTOP), and wakes up in a world that has gone on: so long, and so far from
//! everything, that Postgres has dropped it and another one leads.

use std::net::SocketAddr;
use std::time::Instant;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::actors::PASSWORD;
use crate::caller::Caller;
use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::ledger::What;
use crate::running::signal;
use crate::wire::{Cut, Target};
use crate::withdrawn;
use crate::world::World;

const PROFILE: &str = "/api/auth/profile/";
/// Questions that wait in the socket of an API that stands still.
const QUESTIONS: usize = 24;
/// Requests elsewhere, until the questions wait.
const REQUESTS_BEFORE: u64 = 2;

/// One process of each kind, as of a machine that is frozen: their wires to Postgres carry nothing meanwhile. A session ends:
/// what the API still knows of it is out of date when it wakes up, nobody has told it, and questions wait for it already. The others go on: whoever wakes up as a leader is none any more.
#[derive(Default)]
pub struct Paused {
    pids: Vec<String>,
    /// Whose session ended, and the API that does not know.
    visitor: Option<(Caller, SocketAddr)>,
    asking: JoinSet<Option<u16>>,
    answers: Vec<u16>,
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
        let visitor = arrive(world).await;
        let asleep = world.address(first);
        assert_eq!(visitor.knock(asleep, PROFILE).await, Some(200), "it knows the session");
        self.pids = [first, 2 + first, 4 + first].map(|slot| world.pid(slot).to_string()).into();
        self.pids.iter().for_each(|pid| signal("STOP", pid));
        for slot in [first, 2 + first, 4 + first] {
            world.wires.cut(slot, Target::Postgres, Cut::Both);
        }
        // A balancer looks away soon; who is there already waits.
        world.slots[first].is_out = true;
        world.balance();
        let mut leaving = visitor.clone();
        let out = leaving.change(What::LogOut, Method::POST, "/api/auth/logout/", &json!({})).await;
        assert!(out.is_ok(), "{out:?}");
        let out = Instant::now();
        while out.elapsed() < withdrawn::WITHIN {
            fault::hold(world, 1).await;
        }
        // The other ones of their kinds have taken over.
        world.newcomer().await;
        fault::catch_up(world).await;
        self.visitor = Some((visitor, asleep));
    }

    async fn heal(&mut self, world: &mut World) {
        let (visitor, asleep) = self.visitor.take().expect("somebody is out");
        for _ in 0..QUESTIONS {
            let visitor = visitor.clone();
            self.asking.spawn(async move { visitor.knock(asleep, PROFILE).await });
        }
        fault::hold(world, REQUESTS_BEFORE).await;
        world.disturb();
        world.wires.mend_all();
        self.pids.drain(..).for_each(|pid| signal("CONT", &pid));
        while let Some(answer) = self.asking.join_next().await {
            self.answers.extend(answer.unwrap());
        }
        world.disturb();
        world.slots.iter_mut().for_each(|slot| slot.is_out = false);
        world.balance();
    }

    async fn check(&mut self, _world: &mut World, findings: &mut Findings) {
        findings.count("I10", self.answers.len() as u64);
        let let_in = self.answers.drain(..).filter(|status| (200..300).contains(status)).count();
        if let_in > 0 {
            let what = format!("an API that woke up let {let_in} in by a session that had ended");
            findings.add("I10", what);
        }
    }
}

/// Somebody who works already, in a session that nobody needs.
async fn arrive(world: &World) -> Caller {
    let name = format!("visitor{}", world.ledger.open().sent);
    let mut visitor = Caller::new(&name, &world.balancer, &world.ledger);
    let body = json!({"email": "actor0@example.com", "password": PASSWORD});
    let session = visitor.change(What::LogIn, Method::POST, "/api/auth/login/", &body).await;
    visitor.token = session.body["access"].as_str().map(str::to_owned);
    assert!(visitor.token.is_some(), "{session:?}");
    visitor
}
