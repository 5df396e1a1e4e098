//! Queries over HTTP. Those that show values are decrypted, checked and audited before they are answered.

use crate::bare;
use crate::http::Connection;
use crate::limits::handler;
use crate::load::{Caller, Load, Span, closed};
use crate::measured::{self, Kind as _, Measured};
use crate::section::Section;
use crate::seed::Team;
use crate::target::{Target, Wanted};
use crate::world::{World, small};

const TITLE: &str = "Queries over HTTP";
const LEVELS: [usize; 4] = [1, 16, 64, 256];
const LEVELS_QUICK: [usize; 2] = [1, 64];
/// Where the targets are.
pub const AIMED_AT: usize = 64;
/// A second (DESIGN 10).
const PROFILES: f64 = 20_000.0;
const REVEALS: f64 = 5_000.0;
/// Of the bare handler with the same statement and append (issue 5).
const OF_BARE: f64 = 0.5;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Profile,
    Organizations,
    Environment,
    Export,
    Audit,
}

struct Client {
    connection: Connection,
    access: String,
    path: String,
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let levels: &[usize] = if is_quick { &LEVELS_QUICK } else { &LEVELS };
    let span = if is_quick { Span::millis(300, 1_200) } else { Span::millis(500, 3_000) };
    let people = levels.iter().copied().max().unwrap_or(1);
    let world = World::new("queries", &small(people)).await?;
    let mut bare_loads = Vec::new();
    let server = bare::start(&world.place).await?;
    for route in ["nothing", "statement_and_append"] {
        bare_loads.push(handler::measure(&server, route, &world.teams, AIMED_AT, span).await?);
    }
    server.stop().await?;
    let all = measure(&world, levels, span).await?;
    world.leave().await?;
    let title = "Each connection asks for its own organization, with an environment of 50 variables. Environment and export \
                 open every value, after a record of it is on disk.";
    let mut section = Section::new("queries", title);
    let mut table = measured::table("query", &all);
    for (name, load) in
        ["a bare handler", "the same with statement and append"].iter().zip(&bare_loads)
    {
        let cells = [(*name).to_owned(), load.clients.to_string()];
        table.row(cells.into_iter().chain(load.cells()).chain([const { String::new() }; 3]));
    }
    section.tables.push(table);
    section.plots.push(measured::plot(TITLE, &all));
    section.plots.push(measured::curves(TITLE, AIMED_AT, &all));
    section.targets = targets(&all, &bare_loads[1]);
    section.samples = measured::samples(&all);
    Ok(section)
}

/// Each kind with each number of connections.
pub async fn measure(
    world: &World,
    levels: &[usize],
    span: Span,
) -> anyhow::Result<Vec<Measured<Kind>>> {
    let mut all = Vec::new();
    let watch = world.watch().await?;
    for &kind in Kind::ALL {
        for connections in levels {
            let open = world.instance.connections(*connections).await?;
            let clients = open.into_iter().enumerate().map(|(n, connection)| Client {
                connection,
                access: world.tokens[n].access.clone(),
                path: kind.path(world.teams[n].environment.get()),
            });
            let before = watch.spent()?;
            let load = closed(clients.collect(), span).await?.0;
            let spent = watch.spent()?.since(before);
            all.push(Measured { kind, load, spent });
        }
    }
    Ok(all)
}

/// One environment's values by one connection of its organization's admin, the first of the people.
pub async fn environment(world: &World, team: &Team, span: Span) -> anyhow::Result<Load> {
    let connection = world.instance.connections(1).await?.remove(0);
    let path = format!("{}?page_size=1000", Kind::Environment.path(team.environment.get()));
    let client = Client { connection, access: world.tokens[0].access.clone(), path };
    Ok(closed(vec![client], span).await?.0)
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        self.connection.get(&self.path, Some(&self.access)).await?.expect(200)?;
        Ok(true)
    }
}

impl measured::Kind for Kind {
    const ALL: &'static [Self] =
        &[Self::Profile, Self::Organizations, Self::Environment, Self::Export, Self::Audit];

    fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Organizations => "organizations",
            Self::Environment => "environment of 50",
            Self::Export => "export of 50",
            Self::Audit => "audit page",
        }
    }
}

impl Kind {
    fn path(self, environment: i64) -> String {
        match self {
            Self::Profile => "/api/auth/profile/".to_owned(),
            Self::Organizations => "/api/core/organizations/".to_owned(),
            Self::Environment => format!("/api/core/environments/{environment}/variables/"),
            Self::Export => format!("/api/core/environments/{environment}/export/"),
            Self::Audit => "/api/core/audit-logs/?page_size=50".to_owned(),
        }
    }
}

fn targets(all: &[Measured<Kind>], bare: &Load) -> Vec<Target> {
    let rate = |kind| measured::rate(kind, AIMED_AT, all);
    let environment = rate(Kind::Environment);
    let at = |what: &str| format!("{what} at {AIMED_AT} connections");
    vec![
        Target::fixed(&at("profile"), rate(Kind::Profile), "/s", PROFILES, true)
            .because("of 220 µs 100 are KeyNest's, 90 Postgres's for one statement, 26 the load's: two cores make 9,000"),
        Target::fixed(&at("environment of 50"), environment, "/s", REVEALS, true)
            .because("of 680 µs of two cores 340 are Postgres's: the 50 rows, the append, and its row in the audit log; a bare handler with the statement alone makes 5,700"),
        Target {
            what: at("environment of 50"),
            limit_of: "bare handler, same statement and append".to_owned(),
            limit: bare.rate(),
            reached: environment,
            unit: "/s",
            wanted: Wanted::AtLeast(OF_BARE),
            gap: "the signature, the key of the environment, and JSON of 50 values",
        },
    ]
}
