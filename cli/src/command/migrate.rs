//! `keynest migrate`: opening the product has expanded the tables. `--finish` ends an upgrade: nothing of before is needed.

use anyhow::{Context, bail};
use keynest_store::postgres::{GONE_AFTER, Process, RaiseError, contract};

use super::say;
use crate::product::Product;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// End an upgrade: let events be written that older binaries cannot read, and take away what only they used. Refused
    /// while one of them is at work.
    #[arg(long)]
    finish: bool,
}

pub(super) async fn run(product: &Product, options: Options) -> anyhow::Result<()> {
    if options.finish {
        finish(product).await?;
    }
    let head = product.store.head().await?;
    say!("The database is at this version; the log has {}.", product.extent(head));
    Ok(())
}

async fn finish(product: &Product) -> anyhow::Result<()> {
    let (before, level) = match product.log.raise_level().await {
        Ok(levels) => levels,
        Err(RaiseError::Behind(behind)) => {
            let behind: Vec<String> = behind.iter().map(described).collect();
            bail!(
                "older binaries are at work; stop them, or wait {} s if they were killed: {}",
                GONE_AFTER.as_secs(),
                behind.join("; ")
            )
        }
        Err(error) => return Err(error).context("raise the format level"),
    };
    // From here on no older binary starts, so nobody misses what goes. Killed in between, it goes the next time.
    contract(&product.store_pool, level).await.context("contract the event store")?;
    keynest_projections::contract(&product.read_pool, level)
        .await
        .context("contract the read models")?;
    match before == level {
        true => say!("The log is at format level {level} already."),
        false => say!("The log is at format level {level} now; it was at {before}."),
    }
    Ok(())
}

/// A process in a line.
pub(super) fn described(process: &Process) -> String {
    let Process { part, version, host, format_level, seconds_unseen } = process;
    format!(
        "{part} {version} on {host}, format level {format_level}, seen {seconds_unseen:.0} s ago"
    )
}
