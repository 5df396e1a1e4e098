//! The API as its callers see it, over real sockets.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop at the first surprise, as tests do")]

mod admin;
mod app;
mod auth;
mod contract_gaps;
mod core;
mod coverage;
mod edge;
mod events;
#[path = "../../../cli/src/local_mailbox.rs"]
mod local_mailbox;
mod openapi;
mod person;
mod sql;
mod statements;
mod tokens;
