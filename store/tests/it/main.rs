//! Everything that needs a running store. `DATABASE_URL` names a Postgres server where databases may be made.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod batching;
mod contract;
mod database;
mod event_schemas;
mod events_page;
mod face;
mod given;
mod golden;
mod idempotency;
mod key_table;
mod kurrentdb;
mod kurrentdb_shared_places;
mod kurrentdb_tls;
mod migration_rules;
mod oracle;
mod personal_fields;
mod postgres;
mod proxy;
mod quotas;
