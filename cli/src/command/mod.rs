//! The subcommands, one file each.

mod config;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// KeyNest keeps a team's environment variables and secrets, and everything that ever happened to them.
#[derive(Debug, Parser)]
#[command(name = "keynest", version, arg_required_else_help = true)]
pub struct Arguments {
    /// The configuration file. Without it: KEYNEST_CONFIG, then keynest.toml in the data directory or in the current one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the effective configuration, with secrets masked and the origin of each value.
    Config,
}

impl Arguments {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Whatever kept the command from being done.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Config => config::run(self.config.as_deref()),
        }
    }
}
