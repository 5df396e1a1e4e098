//! Commands over HTTP, each durable and visible to its author when it is answered.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;

use crate::http::Connection;
use crate::load::{Caller, Load, Span, closed};
use crate::measured::{self, Kind as _, Measured};
use crate::section::Section;
use crate::seed::{Plan, Team};
use crate::target::Target;
use crate::world::{World, small};

const TITLE: &str = "Commands over HTTP";
const LEVELS: [usize; 4] = [1, 16, 64, 256];
const LEVELS_QUICK: [usize; 2] = [1, 64];
/// Where the target is.
pub const AIMED_AT: usize = 64;
/// Of each team, for each level of the section.
const INVITATIONS: usize = 10;
/// Of each team with a connection, where there is one level: a thousand accepted in a second, and some.
pub const INVITATIONS_ALONE: usize = 200;
/// A second (DESIGN 10).
const WANTED: f64 = 3_000.0;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    Change,
    Refresh,
    Accept,
}

/// One connection and what it goes on with.
struct Client {
    kind: Kind,
    connection: Connection,
    access: String,
    refresh: String,
    environment: i64,
    variables: Vec<i64>,
    invitations: Vec<String>,
    /// Names what it makes.
    run: String,
    done: usize,
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let levels: &[usize] = if is_quick { &LEVELS_QUICK } else { &LEVELS };
    let span = if is_quick { Span::millis(300, 1_500) } else { Span::millis(1_000, 4_000) };
    let people = levels.iter().copied().max().unwrap_or(1);
    let plan = Plan { invitations: INVITATIONS * levels.len(), ..small(people) };
    let mut world = World::new("commands", &plan).await?;
    let all = measure(&mut world, Kind::ALL, levels, span).await?;
    world.leave().await?;
    let title = "Each connection works in an organization of its own, in an environment that begins with 50 variables. Answered \
                 means: on disk, and visible to whoever asked.";
    let mut section = Section::new("commands", title);
    section.tables.push(measured::table("command", &all));
    section.plots.push(measured::plot(TITLE, &all));
    section.plots.push(measured::curves(TITLE, AIMED_AT, &all));
    section.samples = measured::samples(&all);
    for it in all.iter().filter(|it| it.load.clients == AIMED_AT) {
        let what = format!("{} at {AIMED_AT} connections", it.kind.name());
        let target = Target::fixed(&what, it.load.rate(), "/s", WANTED, true);
        section.targets.push(target.because(it.kind.gap()));
    }
    Ok(section)
}

/// Each kind with each number of connections.
pub async fn measure(
    world: &mut World,
    kinds: &[Kind],
    levels: &[usize],
    span: Span,
) -> anyhow::Result<Vec<Measured<Kind>>> {
    let mut all = Vec::new();
    let watch = world.watch().await?;
    for kind in kinds {
        for (level, connections) in levels.iter().enumerate() {
            let share = (level, levels.len());
            let clients = clients(world, *kind, share, *connections).await?;
            let before = watch.spent()?;
            let (load, clients) = closed(clients, span).await?;
            let spent = watch.spent()?.since(before);
            for (tokens, client) in world.tokens.iter_mut().zip(clients) {
                tokens.refresh = client.refresh;
            }
            all.push(Measured { kind: *kind, load, spent });
        }
    }
    Ok(all)
}

/// Changes of one environment's variables by one connection.
pub async fn change_in(world: &World, team: &Team, span: Span) -> anyhow::Result<Load> {
    let mut clients = clients(world, Kind::Change, (0, 1), 1).await?;
    clients[0].variables = team.variables.iter().map(|id| id.get()).collect();
    Ok(closed(clients, span).await?.0)
}

async fn clients(
    world: &World,
    kind: Kind,
    (level, levels): (usize, usize),
    connections: usize,
) -> anyhow::Result<Vec<Client>> {
    let open = world.instance.connections(connections).await?;
    let clients = open.into_iter().enumerate().map(|(n, connection)| {
        let (tokens, team) = (&world.tokens[n], &world.teams[n]);
        // Of all teams the invitations of this level, dealt out to the connections.
        let mine = world.invitations.iter().skip(n).step_by(connections);
        let mine = mine
            .flat_map(|all| all.chunks((all.len() / levels).max(1)).nth(level).unwrap_or_default());
        Client {
            kind,
            connection,
            access: tokens.access.clone(),
            refresh: tokens.refresh.clone(),
            environment: team.environment.get(),
            variables: team.variables.iter().map(|id| id.get()).collect(),
            invitations: mine.cloned().collect(),
            run: format!("NEW_{level}_{n}"),
            done: 0,
        }
    });
    Ok(clients.collect())
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        let n = self.done;
        self.done += 1;
        match self.kind {
            Kind::Create => {
                let body = json!({
                    "key": format!("{}_{n}", self.run), "value": format!("secret value {n}"),
                    "environment": self.environment,
                });
                let path = "/api/core/variables/";
                self.connection.post(path, Some(&self.access), &body).await?.expect(201)?;
            }
            Kind::Change => {
                let path =
                    format!("/api/core/variables/{}/", self.variables[n % self.variables.len()]);
                let body = json!({ "value": format!("another secret value {n}") });
                let body = Bytes::from(serde_json::to_vec(&body)?);
                let sent =
                    self.connection.send(Method::PATCH, &path, Some(&self.access), Some(body));
                sent.await?.expect(200)?;
            }
            Kind::Refresh => {
                let body = json!({ "refresh": self.refresh });
                let answer = self.connection.post("/api/auth/token/refresh/", None, &body).await?;
                let answer = answer.expect(200)?.json()?;
                if let Some(next) = answer["refresh"].as_str() {
                    self.refresh = next.to_owned();
                }
            }
            Kind::Accept => {
                let Some(token) = self.invitations.pop() else { return Ok(false) };
                let path = "/api/auth/invitations/accept/";
                let body = json!({ "token": token });
                self.connection.post(path, None, &body).await?.expect(200)?;
            }
        }
        Ok(true)
    }
}

impl Kind {
    /// What the profile shows where the time goes.
    fn gap(self) -> &'static str {
        match self {
            Self::Create | Self::Change => {
                "of 670 to 830 µs of two cores 320 to 370 are Postgres's: the append, the rows of two read models with their indexes, the row read back"
            }
            Self::Refresh => {
                "of 520 µs of two cores 260 are Postgres's: the append, and the rows of two read models with their indexes"
            }
            Self::Accept => {
                "of 2,150 µs of two cores 1,400 are Postgres's: three streams and a claim in the append, and rows of four read models"
            }
        }
    }
}

impl measured::Kind for Kind {
    const ALL: &'static [Self] = &[Self::Create, Self::Change, Self::Refresh, Self::Accept];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "create a variable",
            Self::Change => "change a variable",
            Self::Refresh => "refresh a token",
            Self::Accept => "accept an invitation",
        }
    }
}
