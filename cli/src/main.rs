//! The `keynest` command: reads the arguments, does the work, says why not.

use std::process::ExitCode;

use clap::Parser;
use keynest_cli::command::Arguments;

/// Gives the 19 MiB of each password's hash back to the system, which the C library's allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With the whole chain of causes.
            eprintln!("keynest: {error:#}");
            ExitCode::FAILURE
        }
    }
}
