//! What was measured on: numbers without it say nothing.

use std::fmt;
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::place::server_url;

/// Settings of Postgres that figures depend on.
const SETTINGS: [&str; 7] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
];

/// The machine, its Postgres and the sources.
#[derive(Default)]
pub struct Environment {
    cores: usize,
    processor: String,
    memory: String,
    system: String,
    commit: String,
    time: String,
    load: String,
    postgres: Vec<(&'static str, String)>,
}

impl Environment {
    pub async fn of_this_machine() -> anyhow::Result<Self> {
        let server: PgConnectOptions = server_url()?.parse().context("read DATABASE_URL")?;
        let mut connection = server.connect().await.context("connect to Postgres")?;
        let mut postgres = Vec::new();
        for name in SETTINGS {
            postgres.push((name, setting(name, &mut connection).await?));
        }
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: line_of("/proc/cpuinfo", "model name"),
            memory: line_of("/proc/meminfo", "MemTotal"),
            system: said("uname", &["-sr"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            time: said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
            load: load(),
            postgres,
        })
    }

    /// Of nowhere.
    #[cfg(test)]
    pub fn unknown() -> Self {
        Self::default()
    }

    pub fn to_json(&self) -> Value {
        let Self { cores, processor, memory, system, commit, time, load, postgres } = self;
        let postgres: serde_json::Map<_, _> =
            postgres.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "cores": cores, "processor": processor, "memory": memory, "system": system, "commit": commit,
            "time": time, "load_before": load, "postgres": postgres,
            "build": if cfg!(debug_assertions) { "debug" } else { "release" },
            "note": "the load comes from the same machine; Postgres runs there as well",
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, memory, system, commit, time, load, postgres } = self;
        writeln!(f, "{time}, commit {commit}, {system}, {cores} cores of {processor}, {memory}")?;
        writeln!(f, "The load generator and Postgres share these cores with KeyNest.")?;
        let postgres: Vec<_> =
            postgres.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(f, "Postgres: {}.", postgres.join(", "))?;
        write!(f, "Load average before the run: {load}.")
    }
}

/// The load average of the last minute, five and fifteen.
pub fn load() -> String {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

async fn setting(name: &'static str, connection: &mut PgConnection) -> anyhow::Result<String> {
    let told = sqlx::query_scalar("select current_setting($1)").bind(name);
    told.fetch_one(connection).await.with_context(|| format!("ask for {name}"))
}

fn line_of(path: &str, name: &str) -> String {
    let told = std::fs::read_to_string(path).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix(name)?.split(':').nth(1));
    line.map_or_else(|| "unknown".to_owned(), |it| it.trim().to_owned())
}

/// What a program says in a line; `unknown` if it does not.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let text = output.filter(|it| it.status.success()).map(|it| it.stdout).unwrap_or_default();
    match String::from_utf8_lossy(&text).trim() {
        "" => "unknown".to_owned(),
        text => text.to_owned(),
    }
}
