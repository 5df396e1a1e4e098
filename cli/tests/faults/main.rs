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
mod lock_out;
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
mod withdrawn;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::task::JoinSet;

use crate::actors::{Actor, Gate};
use crate::caller::Caller;
use crate::carrier::{Carrier, Loss};
use crate::checker::Findings;
use crate::disk::{BadDisk, Trouble};
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::mail_server::MailServer;
use crate::partition::Partition;
use crate::settings::Settings;
use crate::sink::Mood;
use crate::table::Table;
use crate::wire::{Cut, Target};
use crate::world::{Role, World};

/// The whole log is read and all read models are built once more whenever the log has grown so many times as long.
const PROOFS_EVERY: u64 = 3;
/// How often a long run says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(30);

type Together = Vec<Box<dyn Fault>>;

/// Every class, in the order in which they are tried. Those of one line do not stand in each other's way: they are tried
/// together, and looked at together.
fn classes(settings: &Settings) -> Vec<Together> {
    let others =
        kills::Kills::others(settings.kills).map(|kills| -> Together { vec![Box::new(kills)] });
    let cut_api = |name, way| cut(name, Role::Api, Target::Postgres, way);
    let mut classes: Vec<Together> = vec![
        vec![Box::new(kills::Kills::first(settings.kills))],
        vec![Box::new(pause::Paused::default())],
        vec![Box::new(database::BackendKilled), Box::new(race::Race::default())],
        vec![Box::new(database::AllKilled)],
        vec![Box::new(database::StoppedAtOnce)],
        // One after the other, before any mail is tried a third time.
        vec![
            mail("smtp-down", Mood::Down),
            mail("smtp-closing", Mood::Closing),
            mail("smtp-later", Mood::Later),
            mail("smtp-dropped", Mood::DropsAfterDot),
        ],
        vec![cut_api("cut-api-postgres", Cut::Both)],
        vec![cut_api("cut-api-postgres-answers", Cut::Answers)],
        vec![cut("cut-project-postgres", Role::Project, Target::Postgres, Cut::Both)],
        vec![Box::new(steps::Steps::default())],
        vec![bad_disk("disk-full", Trouble::Full)],
        vec![bad_disk("disk-slow", Trouble::Slow(2))],
        vec![bad_disk("disk-broken", Trouble::Broken)],
        vec![cut("cut-work-mail", Role::Work, Target::Mail, Cut::Both)],
        vec![cut("cut-work-postgres", Role::Work, Target::Postgres, Cut::Both)],
        vec![cut("cut-work-nats", Role::Work, Target::Nats, Cut::Both)],
        vec![Box::new(Carrier::new("nats-killed", Loss::Killed))],
        vec![Box::new(Carrier::new("nats-wiped", Loss::Wiped))],
        vec![Box::new(Carrier::new("nats-stream-deleted", Loss::StreamDeleted))],
        vec![Box::new(Carrier::new("nats-paused", Loss::Paused))],
        vec![Box::new(duplicates::Duplicates::default()), Box::new(refused::Refused::default())],
        vec![Box::new(poison::Poison::default())],
        vec![Box::new(clocks::Clocks::default())],
    ];
    classes.extend(others);
    classes.push(vec![Box::new(calm::Calm)]);
    classes
}

fn cut(name: &'static str, role: Role, target: Target, cut: Cut) -> Box<dyn Fault> {
    Box::new(Partition::new(name, role, target, cut))
}

fn mail(name: &'static str, mood: Mood) -> Box<dyn Fault> {
    Box::new(MailServer { name, mood })
}

fn bad_disk(name: &'static str, trouble: Trouble) -> Box<dyn Fault> {
    Box::new(BadDisk { name, trouble })
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
    let telling = tokio::spawn(tell(began, world.ledger.clone()));
    let mut table = Table::default();
    let mut classes = classes(&settings);
    classes.iter_mut().for_each(|some| some.retain(|class| settings.wants(class.name())));
    classes.retain(|some| !some.is_empty());
    let (last, mut proven) = (classes.len() - 1, 0);
    for (number, mut together) in classes.into_iter().enumerate() {
        let names: Vec<_> = together.iter().map(|class| class.name()).collect();
        println!("{:>6.1} s  {}", began.elapsed().as_secs_f64(), names.join(", "));
        let mut runs = fault::drive(&mut together, &mut world).await;
        let driven = Instant::now();
        let still = gate.write().await;
        let mut findings = Findings::default();
        fault::catch_up(&world).await;
        for class in &mut together {
            class.check(&mut world, &mut findings).await;
        }
        let events = world.ledger.open().events;
        let has_proofs = events >= proven * PROOFS_EVERY || number == last;
        proven = if has_proofs { events } else { proven };
        checker::check(&mut world, &mut findings, has_proofs).await;
        checker::everybody_sees_what_they_know(&memories, &mut findings).await;
        drop(still);
        runs.iter_mut().for_each(|run| run.spent.checking = driven.elapsed());
        table.add(&runs, findings);
        while let Some(ended) = working.try_join_next() {
            assert!(table.is_wrong() || ended.is_ok(), "an actor works on: {ended:?}");
        }
    }
    telling.abort();
    done.store(true, Ordering::Relaxed);
    while working.join_next().await.is_some() {}
    strangers.abort();
    table.end(&world);
}

async fn tell(began: Instant, ledger: Ledger) {
    let mut every = tokio::time::interval(TELL_EVERY);
    loop {
        every.tick().await;
        let (kills, changes, events) = {
            let book = ledger.open();
            (book.kills, book.acknowledged, book.events)
        };
        let seconds = began.elapsed().as_secs_f64();
        println!("{seconds:>6.1} s  {kills} kills, {changes} changes with {events} events so far");
    }
}

/// Everybody registers at the same time.
async fn arrive(world: &World) -> Vec<Actor> {
    let count = world.settings.actors;
    let name = |number: usize| format!("actor{}", number % count);
    let arriving = (0..count).map(async |number| {
        let caller = Caller::new(&name(number), &world.balancer, &world.ledger);
        let seed = world.settings.seed.wrapping_add(number as u64);
        let (sink, bulk) = (world.sink.clone(), world.settings.bulk);
        Actor::arrive(caller, &name(number + 1), sink, seed, bulk).await
    });
    join_all(arriving).await
}
