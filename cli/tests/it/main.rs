//! The `keynest` command and its parts against the real thing.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it says")]

mod backup;
mod config;
mod embedded;
mod erase;
mod event_examples;
mod feed_grpc;
mod figures;
mod first_visit;
mod journey;
mod kurrentdb;
mod lost_factor;
mod nats;
#[expect(dead_code, reason = "the tests of the workers use more of it")]
#[path = "../../../workers/tests/it/nats_server.rs"]
mod nats_server;
mod operations_page;
mod refusals_to_start;
mod replay;
mod replicas;
mod running;
mod security_page;
mod separate_processes;
mod upgrade;
