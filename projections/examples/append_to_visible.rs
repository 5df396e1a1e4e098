//! How long it takes from an append until every read model shows it (DESIGN 6), at a steady rate. Nothing is asserted:
//!
//! ```text
//! scripts/with-postgres cargo run -p keynest-projections --example append_to_visible -- [RATE] [SECONDS] [ROUNDS] [read]
//! ```
//!
//! With `read` as the last word nothing is handed over in process: subscribers are woken and read the log.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on panics")]

#[expect(dead_code, reason = "the world of the tests has more in it")]
#[path = "../tests/it/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;

use keynest_domain::environment::Environment;
use keynest_domain::{Aggregate, CommandId, EnvironmentId, StreamName};
use keynest_projections::names;
use keynest_store::postgres::StoreOptions;
use keynest_store::{Append, Expected, Metadata, NewEvent, StreamAppend, encode};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use world::{ACME, ANN, SHOP, World};

const RATE: u64 = 1_000;
const SECONDS: u64 = 10;
const ROUNDS: u64 = 5;
const ENVIRONMENTS: u64 = 100;
const VISIBLE_MAX: Duration = Duration::from_secs(60);

/// Of one append: until it was answered, and until it was visible.
#[derive(Clone, Copy)]
struct Times {
    answered: Duration,
    visible: Duration,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| words.get(at).map_or(default, |word| word.parse().unwrap());
    let (rate, seconds, rounds) = (number(0, RATE), number(1, SECONDS), number(2, ROUNDS));
    let reads = words.get(3).is_some_and(|word| word == "read");
    let world = Arc::new(open(reads).await);
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    let how = if reads { "read from the log" } else { "handed over in process" };
    println!(
        "{rate} events/s for {seconds} s, {rounds} rounds, {how}; milliseconds, p50 p95 p99 max"
    );
    for round in 0..rounds {
        let events = prepare(&world, round, rate * seconds).await;
        let times = run(&world, events, rate).await;
        let answered = times.iter().map(|times| times.answered).collect();
        let after = times.iter().map(|times| times.visible - times.answered).collect();
        let visible = times.iter().map(|times| times.visible).collect();
        println!(
            "round {round}: append answered {} | answer to visible {} | append to visible {}",
            quantiles(answered),
            quantiles(after),
            quantiles(visible)
        );
        sleep(Duration::from_secs(1)).await;
    }
    stop.cancel();
    running.wait().await;
}

/// A database of its own on the server of `DATABASE_URL`, with the environments that the variables go into.
async fn open(reads: bool) -> World {
    let server: PgConnectOptions = std::env::var("DATABASE_URL").unwrap().parse().unwrap();
    let name = format!("append_to_visible_{}", std::process::id());
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::raw_sql(create).execute(&mut server.connect().await.unwrap()).await.unwrap();
    let mut options = StoreOptions::default();
    if reads {
        options.handover_events = 0;
    }
    let world = World::durable_with(server.database(&name), options).await;
    world.acme().await;
    for number in 0..ENVIRONMENTS {
        let name = format!("environment {number}");
        world.environment(environment(number), (SHOP, ACME), ANN, &name).await;
    }
    world
}

/// Creations of variables and changes of their values, half and half.
async fn prepare(world: &World, round: u64, count: u64) -> Vec<(StreamName, NewEvent)> {
    let mut events = Vec::new();
    for number in 0..count {
        let environment = environment(number / 2 % ENVIRONMENTS);
        let variable = i64::try_from(1_000_000_000 * (round + 1) + number / 2).unwrap();
        let event = match number % 2 {
            0 => world.created(environment, variable, &format!("KEY_{variable}"), "one").await,
            _ => world.changed(environment, variable, 2, "two").await,
        };
        events.push((Environment::stream(environment), encode(&event)));
    }
    events
}

/// Appends at the given rate, whether earlier ones were answered or not.
async fn run(world: &Arc<World>, events: Vec<(StreamName, NewEvent)>, rate: u64) -> Vec<Times> {
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(rate).unwrap());
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = Vec::with_capacity(events.len());
    for (stream, event) in events {
        tick.tick().await;
        under_way.push(tokio::spawn(append(Arc::clone(world), stream, event)));
    }
    let mut times = Vec::with_capacity(under_way.len());
    for append in under_way {
        times.push(append.await.unwrap());
    }
    times
}

#[expect(clippy::disallowed_methods, reason = "names a command of this run only")]
async fn append(world: Arc<World>, stream: StreamName, event: NewEvent) -> Times {
    let append = Append {
        command_id: CommandId::new(Uuid::now_v7()),
        streams: vec![StreamAppend { stream, expected: Expected::Any, events: vec![event] }],
        checks: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata { actor: Some(ANN), organization: Some(ACME), ..Metadata::default() },
    };
    let begun = Instant::now();
    let position = world.store.append(append).await.unwrap().position;
    let answered = begun.elapsed();
    let visibility = world.projections.visibility();
    assert!(visibility.wait_for(position, names::ALL, VISIBLE_MAX).await, "not visible in time");
    Times { answered, visible: begun.elapsed() }
}

fn environment(number: u64) -> EnvironmentId {
    EnvironmentId::new(1_000 + i64::try_from(number).unwrap())
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    let shown = [at(50), at(95), at(99), at(100)];
    shown.map(|time| format!("{:6.1}", time.as_secs_f64() * 1e3)).join(" ")
}
