//! `kill -9` of an API at every step of one command: before each piece of the conversation with Postgres, in either direction.
//!
//! The API under test has a wire of its own, a relay that counts what passes and kills it when the number is reached: a
//! request that Postgres never saw, an answer that nobody read, a commit that nobody heard of. N rises from 1 until
//! the command ends first. Every time the request is sent again with its key, to another replica, and must then have
//! taken effect once: the ledger has it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::caller::{Balancer, Caller};
use crate::checker::Findings;
use crate::fault::Fault;
use crate::ledger::What;
use crate::running::signal;
use crate::wire::Target;
use crate::world::World;

/// A command has fewer steps than this; and no more are tried where the product is too slow to end.
const STEPS_MAX: i64 = 60;
/// Kills of one round where there is only one: evenly over the first of the steps.
const KILLS: i64 = 10;
/// A command has at least half as many steps as are tried then.
pub const KILLS_MIN: usize = 6;

/// One command, killed at step 1, 2, 3…
#[derive(Default)]
pub struct Steps {
    tried: i64,
}

/// Steps that are left until the kill, and whom.
#[derive(Default)]
struct Countdown {
    left: AtomicI64,
    victim: AtomicI64,
}

#[async_trait]
impl Fault for Steps {
    fn name(&self) -> &'static str {
        "kill-at-each-step"
    }

    fn requests(&self) -> u64 {
        0
    }

    async fn inject(&mut self, world: &mut World) {
        let countdown = Arc::new(Countdown::default());
        let wire = lay(world.wires.port(Target::Postgres), Arc::clone(&countdown)).await;
        let stride = (STEPS_MAX / KILLS / i64::try_from(world.settings.rounds).unwrap()).max(1);
        let mut step = 1;
        while step <= STEPS_MAX && die_at(world, wire, &countdown, step).await {
            self.tried += 1;
            step += stride;
        }
    }

    async fn heal(&mut self, _world: &mut World) {}

    async fn check(&mut self, _world: &mut World, findings: &mut Findings) {
        findings.count("steps", self.tried.unsigned_abs());
        if self.tried == 0 {
            findings.add("steps", "no command was ever cut off".to_owned());
        }
    }
}

/// Whether the API died in the middle of the command.
async fn die_at(
    world: &mut World,
    wire: SocketAddr,
    countdown: &Arc<Countdown>,
    step: i64,
) -> bool {
    let victim = world.start_beside(wire);
    countdown.victim.store(victim.pid().into(), Ordering::SeqCst);
    let (token, environment) = world.racing.clone().expect("somebody lends a place");
    let alone = Balancer::default();
    alone.set(vec![victim.address]);
    let mut caller = Caller::new(&format!("step{step}-{}", victim.pid()), &alone, &world.ledger);
    caller.token = Some(token);
    // The key of a person is read from the database once; that is no part of the command.
    caller.look("/api/auth/profile/").await;
    countdown.left.store(step, Ordering::SeqCst);
    let (what, path, body) = wish(step, victim.pid(), environment);
    let all = world.balancer.clone();
    let sending = caller.change(what, Method::POST, &path, &body);
    tokio::pin!(sending);
    let died = tokio::select! {
        _ = &mut sending => false,
        () = is_over(countdown) => true,
    };
    if died {
        // Again with the same key, by the replicas that live.
        alone.set(all.all());
        assert!(sending.await.is_ok(), "step {step}");
    }
    countdown.left.store(0, Ordering::SeqCst);
    world.killed_beside(victim);
    died
}

/// One variable, or some at once.
fn wish(step: i64, pid: u32, environment: i64) -> (What, String, Value) {
    let key = format!("STEP_{step}_{pid}");
    if (step / 2) % 2 == 0 {
        let body = json!({"key": key, "value": "v", "environment": environment});
        return (What::CreateVariable(environment), "/api/core/variables/".to_owned(), body);
    }
    let body = json!({"data": format!("{key}_A=1\n{key}_B=2\n"), "format": "env"});
    let path = format!("/api/core/environments/{environment}/import/");
    (What::Import(environment), path, body)
}

async fn is_over(countdown: &Countdown) {
    let mut every = tokio::time::interval(std::time::Duration::from_millis(1));
    while countdown.left.load(Ordering::SeqCst) >= 0 {
        every.tick().await;
    }
}

async fn lay(port: u16, countdown: Arc<Countdown>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
            let (near_reader, near_writer) = near.into_split();
            let (far_reader, far_writer) = far.into_split();
            tokio::spawn(count(near_reader, far_writer, Arc::clone(&countdown)));
            tokio::spawn(count(far_reader, near_writer, Arc::clone(&countdown)));
        }
    });
    address
}

async fn count(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, countdown: Arc<Countdown>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        // 0: nobody counts; from 1 down to the kill, which leaves -1.
        let left = &countdown.left;
        let next = |left: i64| match left {
            1 => Some(-1),
            2.. => Some(left - 1),
            _ => None,
        };
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        if before == Ok(1) {
            signal("KILL", &countdown.victim.load(Ordering::SeqCst).to_string());
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
