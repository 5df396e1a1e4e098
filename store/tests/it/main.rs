//! Everything that needs a running store. `DATABASE_URL` names a Postgres server where databases may be made.

mod contract;
mod database;
mod given;
