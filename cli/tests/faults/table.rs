//! What is printed at the end, and kept as JSON in `target/faults`.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::checker::Findings;
use crate::fault::Run;
use crate::world::World;

#[derive(Default)]
pub struct Table {
    rows: Vec<Value>,
    wrong: Vec<String>,
    /// The log is looked at as a whole after each class: what was told of one is not told of the next.
    told: HashSet<String>,
}

impl Table {
    /// Classes that were tried together, and what was found after them.
    pub fn add(&mut self, runs: &[Run], mut findings: Findings) {
        findings
            .wrong
            .values_mut()
            .for_each(|found| found.retain(|it| self.told.insert(it.clone())));
        findings.wrong.retain(|_, found| !found.is_empty());
        let sound = if findings.is_empty() { "all invariants hold" } else { "NOT SOUND" };
        let wrong: Value =
            findings.wrong.iter().map(|(name, found)| ((*name).to_owned(), found.len())).collect();
        for run in runs {
            let mut seconds: Vec<f64> = run.recoveries.iter().map(Duration::as_secs_f64).collect();
            seconds.sort_by(f64::total_cmp);
            let median = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0);
            let longest = seconds.last().copied().unwrap_or(0.0);
            println!(
                "{:<24} × {:<4} {:>6} acknowledged, {:>5} unanswered; recovery {median:.1} s, at most {longest:.1} s; {sound}",
                run.name, run.times, run.acknowledged, run.unanswered,
            );
            let [injecting, holding, healing, recovering, checking] = run.spent.seconds();
            println!(
                "{:<24}   injecting {injecting:.1} s, holding {holding:.1} s, healing {healing:.1} s, \
                 recovering {recovering:.1} s, checking {checking:.1} s",
                ""
            );
            self.rows.push(json!({
                "class": run.name, "times": run.times, "acknowledged": run.acknowledged,
                "unanswered": run.unanswered, "recovery_seconds_median": median,
                "recovery_seconds_max": longest, "seconds": run.spent.seconds(), "looked_at": findings.looked_at, "wrong": wrong,
            }));
        }
        if !findings.is_empty() {
            println!("{}", findings.told());
            let names: Vec<_> = runs.iter().map(|run| run.name).collect();
            self.wrong.push(format!("{}:\n{}", names.join(", "), findings.told()));
        }
    }

    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// Writes everything down, and fails if anything was wrong.
    pub fn end(self, world: &World) {
        let book = world.ledger.open();
        let summary = json!({
            "seed": world.settings.seed, "actors": world.settings.actors,
            "requests": book.sent, "acknowledged": book.acknowledged, "unanswered": book.unanswered,
            "kills": book.kills, "events": book.events, "shed": book.shed, "memory_max_mib": world.memory_max,
            "threads_max": world.threads_max, "files_max": world.files_max, "classes": self.rows,
        });
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../faults");
        std::fs::create_dir_all(&folder).unwrap();
        let text = serde_json::to_string_pretty(&summary).unwrap();
        std::fs::write(folder.join("faults.json"), text).unwrap();
        println!(
            "{} kills, {} requests, {} acknowledged changes with {} events, {} without an answer, {} shed; at most {} MiB, \
             {} threads, {} files",
            book.kills,
            book.sent,
            book.acknowledged,
            book.events,
            book.unanswered,
            book.shed,
            world.memory_max,
            world.threads_max,
            world.files_max
        );
        for row in &self.rows {
            println!("{:<24} {}", row["class"].as_str().unwrap_or(""), row["looked_at"]);
        }
        assert!(self.wrong.is_empty(), "seed {}\n{}", world.settings.seed, self.wrong.join("\n"));
    }
}
