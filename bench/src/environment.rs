//! What was measured on: numbers without it say nothing.

use std::fmt;
use std::process::Command;

use serde_json::{Value, json};

/// The machine and the sources.
pub struct Environment {
    cores: usize,
    processor: String,
    system: String,
    commit: String,
    time: String,
}

impl Environment {
    pub fn of_this_machine() -> Self {
        let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            told.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: model.map_or_else(|| "unknown".to_owned(), |it| it.trim().to_owned()),
            system: said("uname", &["-sr"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            time: said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        }
    }

    pub fn to_json(&self) -> Value {
        let Self { cores, processor, system, commit, time } = self;
        json!({
            "cores": cores, "processor": processor, "system": system, "commit": commit, "time": time,
            "build": if cfg!(debug_assertions) { "debug" } else { "release" },
            "note": "the load comes from the same machine; Postgres runs there as well, with fsync on",
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, system, commit, time } = self;
        writeln!(f, "{time}, commit {commit}, {system}, {cores} cores of {processor}")?;
        write!(f, "Load and Postgres (fsync on) share the machine with KeyNest.")
    }
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
