//! The read side against a real Postgres: events in, rows and answers out.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands, its helpers too")]

mod audit_details;
mod audit_scope;
mod compare;
mod destroyed_keys;
mod history;
mod lag;
mod organizations;
mod parking;
mod plans;
mod projects;
mod runner;
mod sessions;
mod users;
mod variables;
mod visibility;
mod world;
