//! `keynest backup`: the log and its keys into two folders, while everything goes on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{progress, say};
use crate::backup;
use crate::product::{Product, require_log_in_database};

#[derive(Debug, Args)]
pub struct Options {
    /// The folder to make for the log.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The folder to make for the keys that open it; FOLDER.keys if it is left out. Keep it elsewhere, and not for long:
    /// what is erased is readable as long as a copy of its key exists.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
}

pub(super) async fn run(product: &Product, options: Options) -> anyhow::Result<()> {
    require_log_in_database(&product.config, "backup")?;
    let log = options.folder;
    let keys = options.keys.unwrap_or_else(|| keys_beside(&log));
    let spinner = progress::spinner("backup");
    let tell = |table: &str| spinner.set_message(table.to_owned());
    let (pool, config, clock) = (&product.store_pool, &product.config, &product.clock);
    let taken = backup::take(pool, config, clock, (&log, &keys), tell).await?;
    spinner.finish_and_clear();
    say!("{} events, {} bytes", taken.events, taken.bytes);
    say!("log:  {}", log.display());
    say!("keys: {}", keys.display());
    say!("The root key is in neither of them: keep a copy of it in a third place.");
    Ok(())
}

/// `log` beside `log.keys`.
pub(super) fn keys_beside(log: &Path) -> PathBuf {
    let mut name = log.file_name().unwrap_or_default().to_owned();
    name.push(".keys");
    log.with_file_name(name)
}
