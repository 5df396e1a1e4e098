//! `keynest restore`: a backup into an empty database, or the rest of what Postgres's own tools restored.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use keynest_crypto::RootKeys;
use keynest_workers::KeyLedger;

use super::backup::keys_beside;
use super::say;
use super::{progress, start};
use crate::backup::{self, Wanted};
use crate::config::Config;
use crate::database::Database;
use crate::product::{self, Product};

#[derive(Debug, Args)]
pub struct Options {
    /// The folder with the log.
    #[arg(value_name = "FOLDER", required_unless_present = "in_place")]
    folder: Option<PathBuf>,
    /// The folder with the keys; FOLDER.keys if it is left out.
    #[arg(long, value_name = "FOLDER", conflicts_with = "in_place")]
    keys: Option<PathBuf>,
    /// The data is in the database already, by Postgres's own tools or by a restore that was interrupted.
    #[arg(long, conflicts_with = "folder")]
    in_place: bool,
    /// A ledger of destroyed keys that is newer than the backup's; that of this machine is always applied.
    #[arg(long, value_name = "FILE")]
    destroyed_keys: Vec<PathBuf>,
}

pub(super) fn run(file: Option<PathBuf>, options: Options) -> anyhow::Result<()> {
    let config = start(file)?.0;
    super::block_on(async {
        let database = Database::start(&config).await?;
        let done = restore(config, &database, options).await;
        database.stop().await?;
        done
    })
}

async fn restore(config: Config, database: &Database, options: Options) -> anyhow::Result<()> {
    product::require_log_in_database(&config, "restore")?;
    let begun = Instant::now();
    let spinner = progress::spinner("restore");
    let tell = |step: &str| spinner.set_message(step.to_owned());
    let wanted = match options.folder {
        Some(log) => {
            let keys = options.keys.unwrap_or_else(|| keys_beside(&log));
            Wanted::Folders { log, keys }
        }
        None => Wanted::InPlace,
    };
    let roots = roots(&config)?;
    let mut ledgers = options.destroyed_keys;
    if let Wanted::Folders { keys, .. } = &wanted {
        let copied = keys.join(backup::LEDGER);
        ledgers.extend(copied.exists().then_some(copied));
    }
    backup::nobody_else(&database.url).await?;
    let pool = product::store_pool(&config, database).await?;
    let different = backup::restore(&pool, &config, &roots, &wanted, tell).await?;
    pool.close().await;
    let product = Product::open_restored(config, database).await?;
    let own = KeyLedger::open(&product.config.destroyed_file())
        .context("open the ledger of destroyed keys")?;
    for path in ledgers {
        if !path.exists() {
            bail!("there is no ledger {}", path.display());
        }
        own.note(&KeyLedger::open(&path)?.keys(), product.clock.now())?;
    }
    let renewed = backup::renew(&product, tell).await?;
    let head = product.store.head().await?;
    product.close().await;
    spinner.finish_and_clear();
    for (name, then, now) in different {
        say!("{name} was {then} when the backup was taken and is {now} now");
    }
    say!("{} events are there, in {:.1} s.", head.to_stored(), begun.elapsed().as_secs_f64());
    say!(
        "{} keys were destroyed again, {} tokens ended, {} mails dropped.",
        renewed.keys_destroyed,
        renewed.tokens_ended,
        renewed.mails_dropped
    );
    say!(
        "Everybody signs in again; links that were mailed and tokens of before are not good any more."
    );
    Ok(())
}

/// The root key that is there; a restore never makes one.
fn roots(config: &Config) -> anyhow::Result<RootKeys> {
    product::configured_roots(config, false)
}
