//! Proof under faults: people work on a whole installation while it is broken in every way, and a checker compares what they
//! were told with the log, the read models, the mails and the audit log.
//!
//! The parts: [`world`] is everything that runs, [`actors`] are the people, [`caller`] sends a change until its outcome is
//! known, [`ledger`] has a line for each of them, [`checker`] compares, [`fault`] is what a class of faults is.
//!
//! # A class of faults
//!
//! One file with a type that implements [`fault::Fault`], and one line in [`classes`]. `inject` brings it about while the
//! actors work, `heal` takes it away; between them the load sends `requests()` requests. What may make a mail be sent
//! twice (a worker or the database dies, the mail server drops a connection) calls `World::disturb`. After `heal` the driver
//! measures until both APIs answer changes and the consumers have caught up. Then the actors stand still, the checker looks
//! at everything, and `check` at what only this class can tell: it adds to [`checker::Findings`] under the name of an
//! invariant (`I1` to `I12`, THREATS 2.3) and never panics for what it finds. `KEYNEST_FAULTS_CLASSES` runs some alone.
//!
//! Nothing here waits for time to pass where it can wait for something to happen; what must be seen within a time says so.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it says")]

mod actors;
mod caller;
mod calm;
mod carrier;
mod checker;
mod clocks;
mod database;
mod dice;
mod disk;
mod duplicates;
mod fault;
mod kills;
mod ledger;
mod mail_server;
mod mails;
#[expect(dead_code, reason = "the tests of the workers use more of it")]
#[path = "../../../workers/tests/it/nats_server.rs"]
mod nats_server;
mod partition;
mod pause;
mod poison;
mod race;
mod refused;
#[expect(dead_code, reason = "the other tests of this crate use more of it")]
#[path = "../it/running.rs"]
mod running;
#[expect(dead_code, reason = "the tests of the store use more of it")]
#[path = "../../../store/tests/it/oracle/server.rs"]
mod server;
mod settings;
mod sink;
mod steps;
mod strangers;
mod table;
mod team;
mod wire;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::future::join_all;
use tokio::task::JoinSet;

use crate::actors::{Actor, Gate};
use crate::caller::Caller;
use crate::carrier::{Carrier, Loss};
use crate::checker::Findings;
use crate::disk::{BadDisk, Trouble};
use crate::fault::Fault;
use crate::mail_server::MailServer;
use crate::partition::Partition;
use crate::settings::Settings;
use crate::sink::Mood;
use crate::table::Table;
use crate::wire::{Cut, Target};
use crate::world::{Role, World};

/// Classes after which the whole log is read and all read models are built once more.
const PROOFS_EVERY: usize = 3;

/// Every class, in the order in which they are tried.
fn classes() -> Vec<Box<dyn Fault>> {
    vec![
        Box::new(kills::Kills::default()),
        Box::new(pause::Paused::default()),
        Box::new(database::BackendKilled),
        Box::new(database::PostmasterKilled),
        Box::new(database::StoppedAtOnce),
        Box::new(MailServer { name: "smtp-down", mood: Mood::Down }),
        Box::new(MailServer { name: "smtp-closing", mood: Mood::Closing }),
        Box::new(MailServer { name: "smtp-later", mood: Mood::Later }),
        Box::new(MailServer { name: "smtp-dropped", mood: Mood::DropsAfterDot }),
        Box::new(bad_disk("disk-full", Trouble::Full)),
        Box::new(bad_disk("disk-slow", Trouble::Slow(200))),
        Box::new(bad_disk("disk-broken", Trouble::Broken)),
        Box::new(race::Race::default()),
        Box::new(steps::Steps::default()),
        Box::new(cut("cut-api-postgres", Role::Api, Target::Postgres, Cut::Both)),
        Box::new(cut("cut-api-postgres-answers", Role::Api, Target::Postgres, Cut::Answers)),
        Box::new(cut("cut-project-postgres", Role::Project, Target::Postgres, Cut::Both)),
        Box::new(cut("cut-work-postgres", Role::Work, Target::Postgres, Cut::Both)),
        Box::new(cut("cut-work-nats", Role::Work, Target::Nats, Cut::Both)),
        Box::new(cut("cut-work-mail", Role::Work, Target::Mail, Cut::Both)),
        Box::new(refused::Refused::default()),
        Box::new(Carrier::new("nats-killed", Loss::Killed)),
        Box::new(Carrier::new("nats-wiped", Loss::Wiped)),
        Box::new(Carrier::new("nats-stream-deleted", Loss::StreamDeleted)),
        Box::new(Carrier::new("nats-paused", Loss::Paused)),
        Box::new(duplicates::Duplicates::default()),
        Box::new(poison::Poison::default()),
        Box::new(clocks::Clocks::default()),
        Box::new(calm::Calm),
    ]
}

fn cut(name: &'static str, role: Role, target: Target, cut: Cut) -> Partition {
    Partition { name, role, target, cut }
}

fn bad_disk(name: &'static str, trouble: Trouble) -> BadDisk {
    BadDisk { name, trouble }
}

#[test]
fn every_invariant_holds_under_every_fault() {
    if !wire::moved_into_namespace("every_invariant_holds_under_every_fault") {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(prove());
    }
}

async fn prove() {
    let settings = Settings::read();
    println!("{settings:?}");
    let began = Instant::now();
    let mut world = World::start(settings.clone()).await;
    let mut actors = arrive(&world).await;
    world.racing = Some(actors[0].lend().await);
    let (gate, done) = (Gate::default(), Arc::new(AtomicBool::new(false)));
    let mut working = JoinSet::new();
    let mut memories = Vec::new();
    for actor in actors {
        memories.push((actor.caller(), actor.memory()));
        working.spawn(actor.work(Arc::clone(&gate), Arc::clone(&done)));
    }
    let strangers = strangers::come(&memories);
    let mut table = Table::default();
    let mut classes = classes();
    classes.retain(|class| settings.wants(class.name()));
    let last = classes.len() - 1;
    for (number, mut class) in classes.into_iter().enumerate() {
        println!("{:>6.1} s  {}", began.elapsed().as_secs_f64(), class.name());
        let run = fault::drive(&mut *class, &mut world).await;
        let still = gate.write().await;
        let mut findings = Findings::default();
        fault::catch_up(&world).await;
        class.check(&mut world, &mut findings).await;
        let has_proofs = number % PROOFS_EVERY == 0 || number == last;
        checker::check(&mut world, &mut findings, has_proofs).await;
        checker::everybody_sees_what_they_know(&memories, &mut findings).await;
        drop(still);
        table.add(&run, findings);
        while let Some(ended) = working.try_join_next() {
            ended.expect("an actor works on");
        }
    }
    done.store(true, Ordering::Relaxed);
    working.join_all().await;
    strangers.abort();
    table.end(&world);
}

/// Everybody registers at the same time.
async fn arrive(world: &World) -> Vec<Actor> {
    let count = world.settings.actors;
    let name = |number: usize| format!("actor{}", number % count);
    let arriving = (0..count).map(async |number| {
        let caller = Caller::new(&name(number), &world.balancer, &world.ledger);
        let seed = world.settings.seed.wrapping_add(number as u64);
        Actor::arrive(caller, &name(number + 1), world.sink.clone(), seed).await
    });
    join_all(arriving).await
}
