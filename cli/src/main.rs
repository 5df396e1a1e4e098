//! The `keynest` command: reads the arguments, does the work, says why not.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;
use keynest_cli::command::Arguments;

/// Gives the 19 MiB of each password's hash back to the system, which the C library's allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Free memory goes back at once, and none is taken ahead: 27 MB resident when idle instead of 56.
const ALLOCATOR_SETTINGS: [(&str, &str); 2] =
    [("MIMALLOC_PURGE_DELAY", "0"), ("MIMALLOC_ARENA_EAGER_COMMIT", "0")];

fn main() -> ExitCode {
    settle_allocator();
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With the whole chain of causes.
            eprintln!("keynest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The allocator reads its settings before `main`, so the program takes its own place once more with them. Whoever has
/// set one of them is left alone.
fn settle_allocator() {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if ALLOCATOR_SETTINGS.iter().any(|(name, _)| is_set(name)) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // Returns only when it failed; then the defaults have to do.
        let _ =
            Command::new(program).args(std::env::args_os().skip(1)).envs(ALLOCATOR_SETTINGS).exec();
    }
}
