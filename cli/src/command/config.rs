//! `keynest config`: the effective configuration.

use std::io::{self, Write};
use std::path::Path;

use crate::config::Loaded;

pub(super) fn run(file: Option<&Path>) -> anyhow::Result<()> {
    let text = Loaded::from_process(file)?.show();
    match io::stdout().write_all(text.as_bytes()) {
        // `keynest config | head`
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
