//! `make bench`: what KeyNest reaches on the machine at hand. One file per section; each prints a table and leaves its
//! samples as JSON. It measures and judges nothing: numbers of one machine are no test of another.

#[path = "../../api/tests/it/auth/factors/authenticator.rs"]
#[expect(clippy::unwrap_used, reason = "it is a helper of tests, which stop at the first surprise")]
mod authenticator;
mod client;
mod enumeration;
mod environment;
mod instance;
mod samples;
mod section;
mod table;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use environment::Environment;
use section::Section;

/// Measures KeyNest against a Postgres of its own; `make bench` starts one.
#[derive(Parser)]
struct Options {
    /// The sections to run; all if none is named.
    sections: Vec<Measured>,
    /// Fewer samples, in a few minutes.
    #[arg(long)]
    quick: bool,
    /// Where the samples go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// One section each, in the order in which they run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measured {
    Enumeration,
}

impl Measured {
    async fn run(self, is_quick: bool) -> anyhow::Result<Section> {
        match self {
            Self::Enumeration => enumeration::run(is_quick).await,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let environment = Environment::of_this_machine();
    println!("{environment}");
    for measured in Measured::value_variants() {
        if options.sections.is_empty() || options.sections.contains(measured) {
            let section = measured.run(options.quick).await?;
            println!("\n{section}");
            section.write(&options.out, &environment)?;
        }
    }
    println!("\nsamples: {}", options.out.display());
    Ok(())
}
