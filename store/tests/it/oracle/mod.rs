//! The oracle (DESIGN 10): many writers in killable processes, readers that come and go, `kill -9` of writers and of
//! Postgres; then nothing acknowledged is lost, doubled or out of order, no position is missing, and every reader saw
//! exactly the log. The same with the backend `kurrentdb`, whose server, the face, is ended suddenly as well, and the Postgres
//! under it. `KEYNEST_ORACLE_SECONDS` and `KEYNEST_ORACLE_SEED` set its length and its dice.

mod face;
mod ledger;
#[path = "../../../oracle/random.rs"]
mod random;
mod run;
#[expect(dead_code, reason = "the proof under faults uses more of it, see cli/tests/faults")]
mod server;

use std::hash::{BuildHasher, Hasher};

use run::{Backend, Plan, run};

const SECONDS: u64 = 30;
const PLANTED_SECONDS: u64 = 5;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn seed() -> u64 {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    let seed = from_environment("KEYNEST_ORACLE_SEED").unwrap_or_else(random);
    println!("KEYNEST_ORACLE_SEED={seed}");
    seed
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_under_kills() {
    under_kills(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_under_kills_in_a_cluster() {
    under_kills(Backend::Kurrent).await;
}

async fn under_kills(backend: Backend) {
    let seconds = from_environment("KEYNEST_ORACLE_SECONDS").unwrap_or(SECONDS);
    let outcome = run(Plan {
        seconds,
        seed: seed(),
        processes: 2,
        writers_per_process: 8,
        is_deadly: true,
        planted: None,
        backend,
    })
    .await;
    println!("{outcome:#?}");
    assert!(outcome.acknowledged > 0 && outcome.subscriptions > 0);
    assert!(outcome.findings.none());
}

#[tokio::test]
async fn the_oracle_catches_a_plain_sequence() {
    let planted = Some(include_str!("plain_sequence.sql"));
    let seconds = PLANTED_SECONDS;
    let outcome = run(Plan {
        seconds,
        seed: seed(),
        processes: 6,
        writers_per_process: 2,
        is_deadly: false,
        planted,
        backend: Backend::Postgres,
    })
    .await;
    println!("{outcome:#?}");
    assert!(outcome.acknowledged > 0);
    assert!(outcome.findings.of("skipped by a reader") > 0);
}
