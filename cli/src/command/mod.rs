//! The subcommands, one file each.

mod backup;
mod config;
mod dead_letters;
mod keys;
mod mailbox;
mod migrate;
mod organizations;
mod progress;
mod rebuild;
mod replay;
mod restore;
mod say;
mod serve;
mod status;
mod users;
mod verify;

use std::future::Future;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use say::say;

use crate::config::{Config, Loaded};
use crate::database::Database;
use crate::logging;
use crate::product::Product;
use crate::serve::Parts;

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
    /// Everything in one process: API, read models, mails. Needs no configuration.
    Serve(serve::Options),
    /// The API alone; any number of processes.
    Api(serve::Options),
    /// The read models alone.
    Project,
    /// Mails and the janitor alone.
    Work,
    /// Bring the database to this version, and stop.
    Migrate(migrate::Options),
    /// Build read models anew from the log, beside the live ones.
    Rebuild(rebuild::Options),
    /// Scan the whole log and say what is not as it must be.
    Verify,
    /// Copy the log and its keys into two folders, while everything goes on.
    Backup(backup::Options),
    /// Load a backup into an empty database, or finish what Postgres's own tools restored.
    Restore(restore::Options),
    /// Tell the events of the log, as docs/EVENT_FEED.md describes them, one per line.
    Replay(replay::Options),
    /// How far log, read models and mails are.
    Status,
    /// Print the effective configuration, with secrets masked and the origin of each value.
    Config,
    /// List and rotate keys.
    #[command(subcommand)]
    Keys(keys::Action),
    /// List, close and open accounts.
    #[command(subcommand)]
    Users(users::Action),
    /// Help organizations that have locked themselves out.
    #[command(subcommand)]
    Organizations(organizations::Action),
    /// Read the development mailbox.
    Mailbox(mailbox::Options),
    /// List or replay what reactors gave up.
    #[command(subcommand)]
    DeadLetters(dead_letters::Action),
}

impl Arguments {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Whatever kept the command from being done.
    pub fn run(self) -> anyhow::Result<()> {
        let file = self.config.as_deref();
        let all = Parts { api: true, projections: true, workers: true };
        let none = Parts { api: false, projections: false, workers: false };
        match self.command {
            Command::Config => config::run(file),
            Command::Serve(options) => serve::run_with(self.config, all, &options),
            Command::Api(options) => {
                serve::run_with(self.config, Parts { api: true, ..none }, &options)
            }
            Command::Project => serve::run(self.config, Parts { projections: true, ..none }),
            Command::Work => serve::run(self.config, Parts { workers: true, ..none }),
            Command::Migrate(options) => {
                with_product(self.config, async |it| migrate::run(it, options).await)
            }
            Command::Rebuild(options) => {
                with_product(self.config, async |it| rebuild::run(it, options).await)
            }
            Command::Verify => with_product(self.config, verify::run),
            Command::Backup(options) => {
                with_product(self.config, async |it| backup::run(it, options).await)
            }
            Command::Restore(options) => restore::run(self.config, options),
            Command::Replay(options) => {
                with_product(self.config, async |it| replay::run(it, options).await)
            }
            Command::Status => with_product(self.config, status::run),
            Command::Keys(action) => {
                with_product(self.config, async |it| keys::run(it, action).await)
            }
            Command::Users(action) => {
                with_product(self.config, async |it| users::run(it, action).await)
            }
            Command::Organizations(action) => {
                with_product(self.config, async |it| organizations::run(it, action).await)
            }
            Command::Mailbox(options) => {
                with_product(self.config, async |it| mailbox::run(it, options).await)
            }
            Command::DeadLetters(action) => {
                with_product(self.config, async |it| dead_letters::run(it, action).await)
            }
        }
    }
}

/// Runs a subcommand over the same database as a process that serves, which may be running.
fn with_product(
    file: Option<PathBuf>,
    work: impl AsyncFnOnce(&Product) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = start(file)?.0;
    block_on(async {
        let database = Database::start_or_join(&config).await?;
        let done = async {
            let product = Product::open(config, &database).await?;
            let done = work(&product).await;
            product.close().await;
            done
        };
        let done = done.await;
        database.stop().await?;
        done
    })
}

/// Reads the configuration, opens the log, settles TLS for the whole process.
fn start(file: Option<PathBuf>) -> anyhow::Result<(Config, logging::LogGuard)> {
    let config = Loaded::from_process(file.as_deref())?.config;
    let guard = logging::open(&config.log)?;
    // Fails only when it is settled already, to the same provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Ok((config, guard))
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(work)
}
