//! The backend `kurrentdb` beside the one in Postgres: the same clients, the same reads. Its server is the test double, in this
//! process; what a real cluster takes for its own work is not in these figures, unless one is named.

use anyhow::Context;
use keynest_eventstore_server::serve;
use keynest_store::EventStore;
use keynest_store::kurrentdb::{Kurrent, KurrentOptions};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::reading::{self, Read};
use super::{FULL, QUICK, Scale, own_appends};
use crate::load::Load;
use crate::place::Place;
use crate::section::Section;
use crate::table::Table;

const LEVELS: [usize; 3] = [1, 8, 64];
/// Events that are read at least.
const EVENTS: u64 = 10_000;
/// A real server to measure as well.
const SERVER: &str = "KEYNEST_TEST_KURRENTDB_URL";

struct Measured {
    backend: &'static str,
    loads: Vec<Load>,
    read: Read,
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let scale = if is_quick { QUICK } else { FULL };
    let title = "The backend `kurrentdb` over the test double, in memory and over the same Postgres, beside the backend `postgres`: appends of \
                 one event of 260 bytes, each client to its own stream. Server and clients share the process. Through the protocol an append is \
                 two calls: the append, and reading where it stands.";
    let mut section = Section::new("cluster", title);
    let place = Place::new("cluster").await?;
    let product = place.product().await?;
    let mut all = vec![measure("postgres", &product.store, scale).await?];
    for (backend, under) in [
        ("kurrentdb over postgres", product.store.clone()),
        ("kurrentdb over memory", EventStore::memory()),
    ] {
        let store = cluster(&face(under).await?).await?;
        all.push(measure(backend, &store, scale).await?);
    }
    if let Ok(url) = std::env::var(SERVER) {
        all.push(measure("kurrentdb as named", &cluster(&url).await?, scale).await?);
    }
    product.close().await;
    place.leave().await?;
    section.tables = vec![appends(&all), reads(&all)];
    section.samples = samples(&all);
    Ok(section)
}

async fn measure(
    backend: &'static str,
    store: &EventStore,
    scale: Scale,
) -> anyhow::Result<Measured> {
    let mut loads = Vec::new();
    for clients in LEVELS {
        loads.push(own_appends(store, clients, scale.span).await?);
    }
    let read = reading::measure(store, EVENTS, scale.span).await?;
    Ok(Measured { backend, loads, read })
}

async fn face(under: EventStore) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(under, listener, std::future::pending()));
    Ok(format!("kurrentdb://{address}?tls=false"))
}

/// A log of its own there.
#[expect(clippy::disallowed_methods, reason = "keeps a run apart from the last one")]
async fn cluster(url: &str) -> anyhow::Result<EventStore> {
    let stream_prefix = format!("bench{}", Uuid::new_v4().simple());
    let options = KurrentOptions { stream_prefix, ..KurrentOptions::default() };
    Ok(Kurrent::open(url.parse()?, options, None).await?.into())
}

fn appends(all: &[Measured]) -> Table {
    let head = ["appends", "clients", "per second", "p50, ms", "p99, ms", "errors", "of postgres"];
    let mut table = Table::new("Appends", head);
    for Measured { backend, loads, .. } in all {
        for (load, base) in loads.iter().zip(&all[0].loads) {
            let cells = [(*backend).to_owned(), load.clients.to_string()];
            let ratio = format!("{:.2}", load.rate() / base.rate());
            table.row(cells.into_iter().chain(load.cells()).chain([ratio]));
        }
    }
    table
}

fn reads(all: &[Measured]) -> Table {
    let head = ["reads", "clients", "per second", "p50, ms", "p99, ms", "errors", "of postgres"];
    let mut table = Table::new("Reads", head);
    for Measured { backend, read, .. } in all {
        let ratio = format!("{:.2}", read.all / all[0].read.all);
        let none = || String::new();
        let what = format!("{backend}: all, in events");
        table.row([
            what,
            "1".to_owned(),
            format!("{:.0}", read.all),
            none(),
            none(),
            none(),
            ratio,
        ]);
        for (load, base) in read.streams().iter().zip(all[0].read.streams()) {
            let what = format!("{backend}: a stream of {}", reading::STREAM_EVENTS);
            let ratio = format!("{:.2}", load.rate() / base.rate());
            let cells = [what, load.clients.to_string()];
            table.row(cells.into_iter().chain(load.cells()).chain([ratio]));
        }
    }
    table
}

fn samples(all: &[Measured]) -> Value {
    let one = |it: &Measured| {
        let appends: Vec<Value> = it.loads.iter().map(|load| load.to_json("append")).collect();
        json!({ "backend": it.backend, "appends": appends, "read": it.read.to_json() })
    };
    all.iter().map(one).collect()
}
