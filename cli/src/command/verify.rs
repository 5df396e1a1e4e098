//! `keynest verify`: scans the whole log.

use anyhow::bail;
use keynest_store::postgres::verify;

use super::{progress, say};
use crate::product::{Product, require_log_in_database};

pub(super) async fn run(product: &Product) -> anyhow::Result<()> {
    require_log_in_database(&product.config, "verify")?;
    let bar = progress::bar("events", 0);
    let report = verify(&product.store_pool, |progress| {
        bar.set_length(progress.of.to_stored());
        bar.set_position(progress.done.to_stored());
    })
    .await?;
    bar.finish_and_clear();
    say!(
        "{} events, {} streams, {} commands, {} claims",
        report.events,
        report.streams,
        report.commands,
        report.claims
    );
    for finding in &report.findings {
        say!("{finding:?}");
    }
    if !report.is_sound() {
        bail!("{} findings", report.findings_total);
    }
    say!("The log is sound.");
    Ok(())
}
