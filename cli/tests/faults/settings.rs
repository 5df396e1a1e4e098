//! How much is tried: numbers from the environment, each with a default that `make test` uses.

use std::env;

const ALL: &str = "all";

/// The numbers of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `KEYNEST_FAULTS_ACTORS`: people who work at the same time.
    pub actors: usize,
    /// `KEYNEST_FAULTS_KILLS`: `kill -9` of processes of the product in all.
    pub kills: usize,
    /// `KEYNEST_FAULTS_EVENTS`: acknowledged events before it ends; the load goes on until there are as many.
    pub events: u64,
    /// `KEYNEST_FAULTS_BULK`: variables of one import, each an event.
    pub bulk: usize,
    /// `KEYNEST_FAULTS_ROUNDS`: how often each other class is injected.
    pub rounds: usize,
    /// `KEYNEST_FAULTS_SEED`: of everything that is random here.
    pub seed: u64,
    /// `KEYNEST_FAULTS_CLASSES`: only these, by name with commas between them; all if absent.
    pub classes: Vec<String>,
}

impl Settings {
    pub fn read() -> Self {
        let classes = env::var("KEYNEST_FAULTS_CLASSES").unwrap_or_else(|_| ALL.to_owned());
        let classes = classes.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self {
            actors: number("KEYNEST_FAULTS_ACTORS", 8),
            kills: number("KEYNEST_FAULTS_KILLS", 50),
            events: number("KEYNEST_FAULTS_EVENTS", 0),
            bulk: number("KEYNEST_FAULTS_BULK", 20),
            rounds: number("KEYNEST_FAULTS_ROUNDS", 1),
            seed: number("KEYNEST_FAULTS_SEED", u64::from(std::process::id())),
            classes: classes.map(str::to_owned).collect(),
        }
    }

    pub fn wants(&self, class: &str) -> bool {
        self.classes.iter().any(|name| name == class || name == ALL)
    }
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
}
