//! `keynest serve`, `api`, `project`, `work`.

use std::path::PathBuf;

use crate::serve::{self, Parts};

pub(super) fn run(file: Option<PathBuf>, parts: Parts) -> anyhow::Result<()> {
    let (config, _log) = super::start(file)?;
    super::block_on(serve::run(config, parts))
}
