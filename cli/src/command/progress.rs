//! A progress bar on a terminal; nothing where the output is a file.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with a name, to be set to `done` of `total`.
pub fn bar(name: &str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>14} [{wide_bar}] {percent}% {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_prefix(name.to_owned())
}
