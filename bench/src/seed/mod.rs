//! Makes people, teams and events in a log, through the store's port: for measuring at size, for demos and for sizing a
//! machine. What it writes is what the commands would have written.

mod filler;
mod invitations;
mod people;
mod teams;
mod workers;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use keynest_cli::product::Product;
use keynest_projections::names;
use tokio_util::sync::CancellationToken;

pub use people::{PASSWORD, Person};
pub use teams::{Team, creations};

use crate::place::{open, server_url};

/// Longest wait for the read models.
const VISIBLE_MAX: Duration = Duration::from_secs(4 * 60 * 60);

/// How much of everything.
#[derive(Args, Clone, Debug)]
pub struct Plan {
    /// Accounts, activated, all with the same password.
    #[arg(long, default_value_t = 100)]
    pub people: usize,
    /// Organizations, each with its admin, its share of the people, a project and an environment.
    #[arg(long, default_value_t = 10)]
    pub teams: usize,
    /// Variables of each environment.
    #[arg(long, default_value_t = 50)]
    pub variables: usize,
    /// Variables of one more environment of the first organization; none without.
    #[arg(long, default_value_t = 0)]
    pub big_variables: usize,
    /// Versions that these have together.
    #[arg(long, default_value_t = 0)]
    pub big_versions: usize,
    /// Events of the log at the end: what is missing are readings of values.
    #[arg(long, default_value_t = 0)]
    pub events: u64,
    /// Invitations of each organization that are not accepted yet.
    #[arg(long, default_value_t = 0)]
    pub invitations: usize,
    /// People with a session.
    #[arg(long, default_value_t = 0)]
    pub sessions: usize,
}

/// The subcommand.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    plan: Plan,
    /// Where the root key is, or is made.
    #[arg(long)]
    data: PathBuf,
    /// Leaves the read models as they are.
    #[arg(long)]
    log_only: bool,
}

/// What was made.
pub struct Seeded {
    pub people: Vec<Person>,
    pub teams: Vec<Team>,
    pub big: Option<Team>,
    /// Tokens of each team's invitations.
    pub invitations: Vec<Vec<String>>,
}

/// Fills the database of `DATABASE_URL`.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let product = open(&server_url()?, &options.data).await?;
    let began = Instant::now();
    let seeded = seed(&product, &options.plan).await?;
    let head = product.store.head().await?.to_stored();
    println!(
        "{} people, {} organizations, {head} events in {:.1} s; the password is {PASSWORD}",
        seeded.people.len(),
        seeded.teams.len(),
        began.elapsed().as_secs_f64(),
    );
    for person in seeded.people.iter().take(3) {
        println!("{}", person.email);
    }
    if !options.log_only {
        let began = Instant::now();
        catch_up(&product).await?;
        println!("read models in {:.1} s", began.elapsed().as_secs_f64());
    }
    product.close().await;
    Ok(())
}

/// Appends what the plan says.
pub async fn seed(product: &Product, plan: &Plan) -> anyhow::Result<Seeded> {
    seed_named(product, plan, "person").await
}

async fn seed_named(product: &Product, plan: &Plan, name: &'static str) -> anyhow::Result<Seeded> {
    ensure!(plan.teams <= plan.people, "every organization needs somebody of its own");
    let people = people::seed(product, plan, name).await.context("make people")?;
    let teams = teams::seed(product, plan, &people).await.context("make organizations")?;
    let big = match teams.first() {
        Some(first) if plan.big_variables > 0 => {
            Some(teams::seed_big(product, plan, first).await.context("make a big environment")?)
        }
        _ => None,
    };
    let invitations = invitations::seed(product, plan, &teams, &people).await.context("invite")?;
    filler::seed(product, plan.events, &teams).await.context("fill the log")?;
    Ok(Seeded { people, teams, big, invitations })
}

/// The same behind what is there already; its people and teams are others.
pub async fn seed_behind(product: &Product, plan: &Plan) -> anyhow::Result<()> {
    seed_named(product, plan, "later").await.map(drop)
}

/// Brings every read model to the head of the log.
pub async fn catch_up(product: &Product) -> anyhow::Result<()> {
    let head = product.store.head().await?;
    let stop = CancellationToken::new();
    let running = product.projections.start(&stop);
    let visible = product.projections.visibility().wait_for(head, names::ALL, VISIBLE_MAX).await;
    stop.cancel();
    running.wait().await;
    ensure!(visible, "the read models did not come to the head");
    Ok(())
}
