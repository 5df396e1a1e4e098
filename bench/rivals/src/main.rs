//! Appends by other event stores for Rust on Postgres, measured as the bench measures KeyNest's: `keynest-rivals NAME CLIENTS
//! WARM_UP_MS COUNTED_MS` on the database of `DATABASE_URL` prints the load as JSON. Each client appends to a stream of its
//! own, one event at a time, with the store's own check of the stream's version, over a connection of its own.

mod cqrs;
mod dcb;
#[expect(dead_code, reason = "the bench uses more of it")]
#[path = "../../src/load.rs"]
mod load;
#[expect(dead_code, reason = "the bench uses more of it")]
#[path = "../../src/samples.rs"]
mod samples;

use anyhow::{Context, bail};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use load::{Span, closed};

/// About as long as the payload of a variable's creation.
pub fn text() -> String {
    "x".repeat(220)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, clients, warm_up, counted] = words.as_slice() else {
        bail!("usage: keynest-rivals NAME CLIENTS WARM_UP_MS COUNTED_MS");
    };
    let clients: u32 = clients.parse()?;
    let span = Span::millis(warm_up.parse()?, counted.parse()?);
    let pool = connect(clients).await?;
    let load = match name.as_str() {
        "cqrs-es" => closed(cqrs::clients(&pool, clients).await?, span).await?.0,
        "disintegrate" => closed(dcb::clients(&pool, clients).await?, span).await?.0,
        other => bail!("no rival {other}"),
    };
    println!("{}", load.to_json(name));
    Ok(())
}

async fn connect(clients: u32) -> anyhow::Result<PgPool> {
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    PgPoolOptions::new().max_connections(clients).connect(&url).await.context("connect to Postgres")
}
