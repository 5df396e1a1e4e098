//! `keynest rebuild`: read models anew from the log, beside the live ones.

use std::sync::Mutex;

use anyhow::bail;
use clap::Args;
use indicatif::ProgressBar;
use keynest_projections::names;

use super::{progress, say};
use crate::product::Product;

#[derive(Debug, Args)]
pub struct Options {
    /// One read model; all of them if it is left out.
    name: Option<String>,
    /// Only compare the live rows with a rebuild; change nothing.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(product: &Product, options: Options) -> anyhow::Result<()> {
    let wanted: Vec<&str> = match &options.name {
        Some(name) if names::ALL.contains(&name.as_str()) => vec![name],
        Some(name) => bail!("there is no read model {name}; there are: {}", names::ALL.join(", ")),
        None => names::ALL.to_vec(),
    };
    let mut differ = 0;
    for name in wanted {
        if options.check {
            differ += check(product, name).await?;
        } else {
            rebuild(product, name).await?;
        }
    }
    if differ > 0 {
        bail!("{differ} tables differ from a rebuild");
    }
    Ok(())
}

async fn rebuild(product: &Product, name: &str) -> anyhow::Result<()> {
    let bar: Mutex<Option<ProgressBar>> = Mutex::new(None);
    let show = |progress: keynest_projections::RebuildProgress| {
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| progress::bar(name, progress.total));
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    product.projections.rebuild(name, &show).await?;
    if let Some(bar) = bar.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        bar.finish_and_clear();
    }
    say!("{name}: rebuilt");
    Ok(())
}

/// Answers how many tables differ.
async fn check(product: &Product, name: &str) -> anyhow::Result<usize> {
    let mut differ = 0;
    for table in product.projections.compare_with_rebuild(name).await? {
        let is_equal = table.live == table.rebuilt;
        differ += usize::from(!is_equal);
        let verdict = if is_equal { "equal" } else { "DIFFERS" };
        say!(
            "{name}.{}: {verdict}, {} rows live, {} rebuilt",
            table.table,
            table.live.rows,
            table.rebuilt.rows
        );
    }
    Ok(differ)
}
