//! Postgres dies in three ways: one of its processes, all of them at once, and by an immediate stop.

use std::process::Command;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;

use crate::fault::{self, Fault};
use crate::server::Server;
use crate::world::World;

/// How often in a row, each time as soon as the server answers again: longer than one append is sent again by itself.
const BACKENDS: usize = 4;
/// How often everything is killed, each time among changes that are answered.
const CRASHES: usize = 3;
/// Requests that find nobody, in between.
const REQUESTS_BETWEEN: u64 = 8;
/// Between two looks for a backend.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One backend of the product: the server ends all others, too, and recovers by itself.
pub struct BackendKilled;

#[async_trait]
impl Fault for BackendKilled {
    fn name(&self) -> &'static str {
        "postgres-backend-killed"
    }

    async fn inject(&mut self, world: &mut World) {
        for _ in 0..BACKENDS {
            world.disturb();
            let backend = some_backend(&world.db).await;
            // It may have ended by itself.
            let _ = Command::new("kill").args(["-s", "KILL", &backend.to_string()]).output();
        }
    }

    async fn heal(&mut self, _world: &mut World) {}
}

/// The one that was asked last, as soon as there is one.
async fn some_backend(db: &PgPool) -> i32 {
    let query = "select pid from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid() order by query_start desc limit 1";
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        if let Ok(Some(backend)) = sqlx::query_scalar(query).fetch_optional(db).await {
            return backend;
        }
    }
}

/// `kill -9` of the postmaster and all of its processes at the same moment, as when the machine ends: what was in its memory
/// alone is gone. Several times in a row.
pub struct AllKilled;

#[async_trait]
impl Fault for AllKilled {
    fn name(&self) -> &'static str {
        "postgres-killed"
    }

    async fn inject(&mut self, world: &mut World) {
        for number in 1..=CRASHES {
            world.disturb();
            crash(&mut world.server);
            if number < CRASHES {
                fault::hold(world, REQUESTS_BETWEEN).await;
                world.server.restart().await;
                fault::recovered(world).await;
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        world.server.restart().await;
    }
}

fn crash(server: &mut Server) {
    let pid = server.pid().to_string();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let all: Vec<String> = children.unwrap().split_whitespace().map(str::to_owned).collect();
    // Some may have ended by themselves.
    let _ = Command::new("kill").args(["-s", "KILL", &pid]).args(all).output();
    server.kill();
}

/// `pg_ctl stop -m immediate`, and a start with recovery.
pub struct StoppedAtOnce;

#[async_trait]
impl Fault for StoppedAtOnce {
    fn name(&self) -> &'static str {
        "postgres-stopped"
    }

    async fn inject(&mut self, world: &mut World) {
        world.disturb();
        world.server.stop_immediately();
    }

    async fn heal(&mut self, world: &mut World) {
        world.server.restart().await;
    }
}
