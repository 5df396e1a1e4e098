//! `make bench`: what KeyNest reaches on the machine at hand. One file per section; each prints a table and leaves its
//! samples as JSON. It measures and judges nothing: numbers of one machine are no test of another.

#[path = "../../api/tests/it/auth/factors/authenticator.rs"]
#[expect(clippy::unwrap_used, reason = "it is a helper of tests, which stop at the first surprise")]
mod authenticator;
mod bare;
mod client;
mod commands;
mod enumeration;
mod environment;
mod flames;
mod footprint;
mod growth;
mod http;
mod instance;
mod limits;
mod load;
mod mail;
mod measured;
mod place;
mod plot;
mod processor;
mod projection;
mod queries;
mod report;
mod samples;
mod section;
mod seed;
mod store;
mod storm;
mod table;
mod target;
mod world;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};

use environment::Environment;
use flames::Flames;
use section::Section;

/// All sections together, in seconds: what `make bench` promises, twenty minutes and three, and some room for the start.
const WHOLE: u64 = 19 * 60;
const WHOLE_QUICK: u64 = 170;

/// Measures KeyNest against a Postgres of its own; `make bench` starts one.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    deed: Option<Deed>,
    /// The sections to run; all if none is named, but for cluster.
    sections: Vec<Measured>,
    /// Fewer samples, in a few minutes.
    #[arg(long)]
    quick: bool,
    /// Events of the long log of projection and of the large database of growth, instead of as many as a run of twenty
    /// minutes allows; then no section is given up for its time. Issue 5 asks for 1000000 and 10000000.
    #[arg(long)]
    events: Option<u64>,
    /// Where the samples and the report go.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Draw a flame graph of every section beside the report; `perf` is needed, and its work is in the figures.
    #[arg(long)]
    flames: bool,
    /// A page where the run takes the place of the last one, such as docs/PERFORMANCE.md.
    #[arg(long)]
    page: Option<PathBuf>,
}

/// What is no section.
#[derive(Subcommand)]
enum Deed {
    /// Fill the database of DATABASE_URL with people, teams and events, through the store's port.
    Seed(seed::Options),
    /// A server that does next to nothing; sections start it.
    #[command(hide = true)]
    Bare(bare::Options),
    /// One of several processes that append; a section starts it.
    #[command(hide = true)]
    Append(store::AppendOptions),
}

/// One section each, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measured {
    Limits,
    Store,
    Commands,
    Queries,
    Storm,
    Projection,
    Mail,
    Footprint,
    Enumeration,
    Growth,
    Cluster,
}

impl Measured {
    /// All but what few have, if none is named.
    fn is_wanted(self, named: &[Self]) -> bool {
        named.contains(&self) || named.is_empty() && self != Self::Cluster
    }

    /// How long it may take, in seconds, of the full run and of the quick one: some twice what it takes on two idle cores.
    fn seconds_max(self, is_quick: bool) -> u64 {
        let (full, quick) = match self {
            Self::Limits => (60, 20),
            Self::Store | Self::Cluster => (240, 40),
            Self::Commands | Self::Queries => (180, 40),
            Self::Storm | Self::Footprint => (90, 25),
            Self::Projection => (480, 50),
            Self::Mail => (60, 15),
            Self::Enumeration => (240, 25),
            Self::Growth => (420, 50),
        };
        if is_quick { quick } else { full }
    }

    async fn run(self, options: &Options) -> anyhow::Result<Section> {
        let is_quick = options.quick;
        match self {
            Self::Limits => limits::run(is_quick).await,
            Self::Store => store::run(is_quick).await,
            Self::Commands => commands::run(is_quick).await,
            Self::Queries => queries::run(is_quick).await,
            Self::Storm => storm::run(is_quick).await,
            Self::Projection => projection::run(options.events, is_quick).await,
            Self::Mail => mail::run(is_quick).await,
            Self::Growth => growth::run(options.events, is_quick).await,
            Self::Cluster => store::run_cluster(is_quick).await,
            Self::Footprint => footprint::run(is_quick).await,
            Self::Enumeration => enumeration::run(is_quick).await,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    match &options.deed {
        Some(Deed::Seed(seed)) => seed::run(seed).await,
        Some(Deed::Bare(bare)) => bare::run(bare).await,
        Some(Deed::Append(append)) => store::append_in_child(append).await,
        None => measure(&options).await,
    }
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let environment = Environment::of_this_machine().await?;
    println!("{environment}");
    let (mut all, mut given_up) = (Vec::new(), Vec::new());
    let whole = Duration::from_secs(if options.quick { WHOLE_QUICK } else { WHOLE });
    let start = Instant::now();
    for measured in Measured::value_variants() {
        if measured.is_wanted(&options.sections) {
            let (began, before) = (Instant::now(), environment::load());
            let seconds = Duration::from_secs(measured.seconds_max(options.quick));
            let left = seconds.min(whole.saturating_sub(start.elapsed()));
            let flames = options.flames.then(Flames::begin).transpose()?;
            let mut section = match one(*measured, options, left).await {
                Ok(section) => section,
                Err(error) => {
                    println!("\n## {measured:?}\n\nGiven up: {error:#}");
                    given_up.push(format!("{measured:?}"));
                    continue;
                }
            };
            let took = began.elapsed().as_secs_f64();
            let after = environment::load();
            section.title +=
                &format!(" ({took:.0} s; load average {before} before, {after} after.)");
            println!("\n{section}");
            section.write(&options.out, &environment)?;
            if let Some(flames) = flames {
                let path = options.out.join(format!("{}-flames.svg", section.name));
                flames.end(&format!("KeyNest: {}", section.name), &path)?;
            }
            all.push(section);
            // What there is, should the run be stopped.
            report::write(&options.out, &environment, &all)?;
        }
    }
    println!("\n{}", target::table(&report::targets(&all)));
    println!("samples and report.html: {}", options.out.display());
    if let Some(page) = &options.page {
        report::paste(page, &environment, &all)?;
    }
    anyhow::ensure!(given_up.is_empty(), "without {}", given_up.join(", "));
    Ok(())
}

/// A section within its time. Whoever says how many events has the time for them.
async fn one(measured: Measured, options: &Options, left: Duration) -> anyhow::Result<Section> {
    if options.events.is_some() {
        return measured.run(options).await;
    }
    anyhow::ensure!(!left.is_zero(), "those before it took all the time");
    let section = tokio::time::timeout(left, measured.run(options)).await;
    section.with_context(|| format!("not ready after {} s", left.as_secs()))?
}
