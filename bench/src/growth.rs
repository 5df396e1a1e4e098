//! Commands, queries and appends again on a large database, against the same on a small one in the same run.

use std::time::Instant;

use serde_json::json;

use crate::load::{Load, Span};
use crate::measured::Kind as _;
use crate::section::Section;
use crate::seed::Plan;
use crate::store::own_appends;
use crate::table::Table;
use crate::target::{Target, Wanted, rounded};
use crate::world::{World, small};
use crate::{commands, queries};

const CONNECTIONS: usize = 64;
/// Of the large database.
const EVENTS: u64 = 1_000_000;
const EVENTS_QUICK: u64 = 30_000;
/// How many times slower (issue 5).
const SLOWER_MAX: f64 = 1.3;

/// Rates by what was done.
struct Figures {
    all: Vec<(String, Load)>,
    /// Of the one big environment, which only the large database has.
    big: Vec<(String, Load)>,
}

/// A person for a hundred events, an organization for a thousand: ten million make a hundred thousand and ten thousand.
fn large(events: u64, is_quick: bool) -> anyhow::Result<Plan> {
    let people = usize::try_from(events / 100)?.clamp(1_000, 100_000);
    let (big_variables, big_versions) = if is_quick { (200, 1_000) } else { (1_000, 20_000) };
    let (variables, sessions, invitations) = (50, CONNECTIONS, commands::INVITATIONS_ALONE);
    let teams = people / 10;
    Ok(Plan {
        people,
        teams,
        variables,
        big_variables,
        big_versions,
        events,
        invitations,
        sessions,
    })
}

/// Runs the section. `events` of the large log.
pub async fn run(events: Option<u64>, is_quick: bool) -> anyhow::Result<Section> {
    let events = events.unwrap_or(if is_quick { EVENTS_QUICK } else { EVENTS });
    let span = if is_quick { Span::millis(300, 1_000) } else { Span::millis(1_000, 4_000) };
    let invitations = commands::INVITATIONS_ALONE;
    // An organization invites nobody twice.
    let people = CONNECTIONS + invitations;
    let before = Figures::of(&Plan { people, invitations, ..small(CONNECTIONS) }, span).await?.0;
    let began = Instant::now();
    let plan = large(events, is_quick)?;
    let (after, seeded) = Figures::of(&plan, span).await?;
    let took = began.elapsed().as_secs_f64();
    let title = format!(
        "{CONNECTIONS} connections on a database of {CONNECTIONS} organizations and on one with {events} events, {} people, {} \
         organizations and an environment of {} variables in {} versions, which took {seeded:.0} s to make, with its read models; \
         the rest of {took:.0} s was measuring.",
        plan.people, plan.teams, plan.big_variables, plan.big_versions,
    );
    let mut section = Section::new("growth", title);
    let head = [
        "figure",
        "small, per second",
        "p99, ms",
        "large, per second",
        "p99, ms",
        "times slower",
        "errors",
    ];
    let mut table = Table::new("", head);
    for ((what, small), (_, large)) in before.all.iter().zip(&after.all) {
        let slower = small.rate() / large.rate();
        let cells = [small, large]
            .map(|it| [format!("{:.0}", it.rate()), format!("{:.2}", it.samples.percentile(99))]);
        let errors = (small.errors + large.errors).to_string();
        let ends = [format!("{slower:.2}"), errors];
        table.row([what.clone()].into_iter().chain(cells.into_iter().flatten()).chain(ends));
        section.targets.push(Target {
            what: format!("{what}, large"),
            limit_of: "the same, small".to_owned(),
            limit: small.rate(),
            reached: large.rate(),
            unit: "/s",
            wanted: Wanted::AtLeast(1.0 / SLOWER_MAX),
            gap: "rows that are no longer in shared_buffers, and more work of the workers",
        });
    }
    section.tables.push(table);
    let head = ["big environment", "connections", "per second", "p50, ms", "p99, ms", "errors"];
    let mut big = Table::new("", head);
    for (what, load) in &after.big {
        let cells = [what.clone(), load.clients.to_string()];
        big.row(cells.into_iter().chain(load.cells()));
    }
    section.tables.push(big);
    let samples = |figures: &Figures| {
        figures
            .all
            .iter()
            .chain(&figures.big)
            .map(|(what, load)| load.to_json(what))
            .collect::<Vec<_>>()
    };
    section.samples = json!({ "seeded_seconds": rounded(seeded), "small": samples(&before), "large": samples(&after) });
    Ok(section)
}

impl Figures {
    /// On a database made after a plan, with the seconds that making it took.
    async fn of(plan: &Plan, span: Span) -> anyhow::Result<(Self, f64)> {
        let began = Instant::now();
        let mut world = World::new("growth", plan).await?;
        let made = began.elapsed().as_secs_f64();
        let mut all = Vec::new();
        let product = world.place.product().await?;
        for clients in [1, CONNECTIONS] {
            let load = own_appends(&product.store, clients, span).await?;
            all.push((format!("append, {clients} clients"), load));
        }
        product.close().await;
        for it in commands::measure(&mut world, commands::Kind::ALL, &[CONNECTIONS], span).await? {
            all.push((it.kind.name().to_owned(), it.load));
        }
        for it in queries::measure(&world, &[CONNECTIONS], span).await? {
            all.push((it.kind.name().to_owned(), it.load));
        }
        let mut big = Vec::new();
        if let Some(team) = &world.big {
            let size = team.variables.len();
            let load = queries::environment(&world, team, span).await?;
            big.push((format!("environment of {size}"), load));
            let load = commands::change_in(&world, team, span).await?;
            big.push((format!("change one of {size} variables"), load));
        }
        world.leave().await?;
        Ok((Self { all, big }, made))
    }
}
