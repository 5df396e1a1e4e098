//! Services that run inside one `keynest` command: a private Postgres for those who have none.

mod account;
mod binaries;
mod cluster;
mod error;
mod home;
mod log_file;
mod orphan;
mod postgres;
mod server;

pub use error::EmbeddedError;
pub use home::create_data_dir;
pub use postgres::EmbeddedPostgres;
