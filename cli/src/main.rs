//! The `keynest` command: reads the arguments, does the work, says why not.

use std::process::ExitCode;

use clap::Parser;
use keynest_cli::command::Arguments;

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
