//! A login storm: as many sign-ins as the hash pool takes, and what the other routes feel of it.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::http::Connection;
use crate::load::{Caller, Load, Span, closed};
use crate::section::Section;
use crate::seed::PASSWORD;
use crate::table::Table;
use crate::target::Target;
use crate::world::{World, small};

/// Connections that sign in. More than the pool computes at once, fewer than may wait.
const STORMERS: usize = 32;
/// Connections of each other route, each with a pause after every answer: people, not load.
const OTHERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(10);
const P99_MS_MAX: f64 = 50.0;

enum Client {
    LogIn { connection: Connection, email: String },
    Other { connection: Connection, access: String, path: String },
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let span = if is_quick { Span::millis(500, 3_000) } else { Span::millis(1_000, 10_000) };
    let world = World::new("storm", &small(STORMERS + OTHERS)).await?;
    let calm = closed(others(&world).await?, span).await?.0;
    let mut stormers = Vec::new();
    for (connection, person) in
        world.instance.connections(STORMERS).await?.into_iter().zip(&world.people)
    {
        stormers.push(Client::LogIn { connection, email: person.email.clone() });
    }
    let others = others(&world).await?;
    let (stormy, storm) = tokio::join!(closed(others, span), closed(stormers, span));
    let (stormy, storm) = (stormy?.0, storm?.0);
    world.leave().await?;

    let title = format!(
        "{STORMERS} connections sign in again and again, {} others ask for profiles, organizations and an environment of 50, \
         each pausing {} ms after every answer.",
        3 * OTHERS,
        PAUSE.as_millis()
    );
    let mut section = Section::new("storm", title);
    let mut table =
        Table::new("", ["load", "connections", "per second", "p50, ms", "p99, ms", "errors"]);
    let loads = [
        ("other routes, calm", &calm),
        ("other routes in the storm", &stormy),
        ("sign-ins", &storm),
    ];
    for (name, load) in loads {
        let cells = [name.to_owned(), load.clients.to_string()];
        table.row(cells.into_iter().chain(load.cells()));
    }
    section.tables.push(table);
    let p99 = stormy.samples.percentile(99);
    let what = "p99 of other routes in a login storm";
    let target = Target::fixed(what, p99, "ms", P99_MS_MAX, false);
    section.targets.push(target.because("a hash is 27 ms of one core, and two at once take both"));
    section.samples = Value::Array(loads.iter().map(|(name, load)| load.to_json(name)).collect());
    ensure_quiet(&calm)?;
    Ok(section)
}

fn ensure_quiet(calm: &Load) -> anyhow::Result<()> {
    ensure!(calm.errors == 0, "other routes fail without a storm: {:?}", calm.error);
    Ok(())
}

async fn others(world: &World) -> anyhow::Result<Vec<Client>> {
    let mut clients = Vec::new();
    for n in 0..OTHERS {
        // Behind those who sign in.
        let place = STORMERS + n;
        let environment = world.teams[place].environment;
        for path in [
            "/api/auth/profile/".to_owned(),
            "/api/core/organizations/".to_owned(),
            format!("/api/core/environments/{environment}/variables/"),
        ] {
            let connection = Connection::open(&world.instance.address).await?;
            let access = world.tokens[place].access.clone();
            clients.push(Client::Other { connection, access, path });
        }
    }
    Ok(clients)
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        match self {
            Self::LogIn { connection, email } => {
                let body = json!({ "email": email, "password": PASSWORD });
                connection.post("/api/auth/login/", None, &body).await?.expect(200)?;
            }
            Self::Other { connection, access, path } => {
                connection.get(path, Some(access)).await?.expect(200)?;
            }
        }
        Ok(true)
    }

    async fn pause(&self) {
        match self {
            Self::LogIn { .. } => {}
            Self::Other { .. } => sleep(PAUSE).await,
        }
    }
}
