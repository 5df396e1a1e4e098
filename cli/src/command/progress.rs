//! A progress bar on a terminal; nothing where the output is a file.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Between two pictures of a spinner.
const SPINNER_TICK: Duration = Duration::from_millis(100);

/// A bar with a name, to be set to `done` of `total`.
pub fn bar(name: &str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>14} [{wide_bar}] {percent}% {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_prefix(name.to_owned())
}

/// Something of unknown length, with a word on what is being done.
pub fn spinner(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>14} {spinner} {msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style).with_prefix(name.to_owned());
    spinner.enable_steady_tick(SPINNER_TICK);
    spinner
}
