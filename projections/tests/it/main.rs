//! The read side against a real Postgres: events in, rows and answers out.

mod audit_details;
mod audit_scope;
mod compare;
mod history;
mod organizations;
mod parking;
mod projects;
mod runner;
mod sessions;
mod users;
mod variables;
mod visibility;
mod world;
