//! The contract that every backend keeps. One definition per case, run by all backends.

/// Instantiates every case for each backend.
macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(keynest_store::EventStore::memory()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                crate::database::with_database(async |database: crate::database::Database| {
                    super::$case(database.open(&Default::default()).await).await;
                })
                .await;
            })+
        }
        mod kurrentdb {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::face::kurrent_over(keynest_store::EventStore::memory()).await).await;
            })+
        }
        mod kurrentdb_on_postgres {
            $(#[tokio::test]
            async fn $case() {
                crate::database::with_database(async |database: crate::database::Database| {
                    let under = database.open(&Default::default()).await;
                    super::$case(crate::face::kurrent_over(under).await).await;
                })
                .await;
            })+
        }
    };
}

mod admission;
mod append;
mod backwards;
mod claim;
mod command;
mod race;
mod read;
mod subscribe;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const BACKENDS: [&str; 4] = ["kurrentdb", "kurrentdb_on_postgres", "memory", "postgres"];

/// So many passed means the same everywhere; `make contract` prints how many did.
#[test]
fn every_backend_has_the_same_cases() {
    let mut listing = Command::new(std::env::current_exe().unwrap());
    let listed = listing.args(["contract::", "--list", "--format", "terse"]).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let mut cases: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for name in text.lines().filter_map(|line| line.strip_suffix(": test")) {
        if let [_, group, backend, case] = name.split("::").collect::<Vec<_>>()[..] {
            cases.entry(backend).or_default().insert((group, case));
        }
    }
    let counts: Vec<(&str, usize)> =
        cases.iter().map(|(name, cases)| (*name, cases.len())).collect();
    println!("{counts:?}");
    assert!(cases.keys().eq(&BACKENDS), "{counts:?}");
    let all: BTreeSet<_> = cases.values().flatten().copied().collect();
    for (backend, own) in &cases {
        let missing: Vec<_> = all.difference(own).collect();
        assert!(missing.is_empty(), "{backend} has no {missing:?}");
    }
    assert!(!all.is_empty());
}
