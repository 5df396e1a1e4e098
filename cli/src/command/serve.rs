//! `keynest serve`, `api`, `project`, `work`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::serve::{self, Parts};

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Serve the event feed, read-only, to the official clients of KurrentDB; `feed.grpc_listen` in the configuration.
    #[arg(long, value_name = "ADDRESS")]
    event_feed_grpc: Option<SocketAddr>,
}

/// A process with an API.
pub(super) fn run_with(
    file: Option<PathBuf>,
    parts: Parts,
    options: &Options,
) -> anyhow::Result<()> {
    let (mut config, _log) = super::start(file)?;
    config.feed.grpc_listen = options.event_feed_grpc.or(config.feed.grpc_listen);
    super::block_on(serve::run(config, parts))
}

pub(super) fn run(file: Option<PathBuf>, parts: Parts) -> anyhow::Result<()> {
    let (config, _log) = super::start(file)?;
    super::block_on(serve::run(config, parts))
}
