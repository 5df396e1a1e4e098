//! The parts of the `keynest` command, as a library so that tests reach them.

pub mod backup;
pub mod command;
pub mod config;
pub mod database;
pub mod edge;
pub mod embedded;
mod feed;
mod feed_grpc;
mod local_mailbox;
pub mod logging;
pub mod oauth;
pub mod product;
pub mod serve;
