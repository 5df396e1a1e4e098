//! The event store in this process, against what Postgres allows it and against others of its kind.

mod appending;
mod cluster;
mod processes;
mod reading;
mod rivals;

pub use cluster::run as run_cluster;
pub use processes::{Options as AppendOptions, run as append_in_child};

use keynest_store::EventStore;
use serde_json::{Value, json};

use crate::limits::database::{appends_allowed, inserts, plain_commits, scan};
use crate::load::{Load, Span};
use crate::place::Place;
use crate::plot::Plot;
use crate::section::Section;
use crate::table::Table;
use crate::target::{Target, Wanted};
use appending::Streams;

const LEVELS: [usize; 4] = [1, 8, 64, 256];
const LEVELS_QUICK: [usize; 2] = [1, 64];
/// DESIGN 10: of n / (F + I(n)) for the batch that was formed; of one plain commit; of the server's own scan.
const OF_ALLOWED: f64 = 0.8;
const OF_PLAIN: f64 = 1.2;
const OF_SCAN: f64 = 0.4;

/// How long and how often.
#[derive(Clone, Copy)]
struct Scale {
    span: Span,
    turns: usize,
    /// Events that are read.
    events: u64,
}

const FULL: Scale = Scale { span: Span::millis(500, 3_000), turns: 500, events: 200_000 };
const QUICK: Scale = Scale { span: Span::millis(200, 1_000), turns: 100, events: 20_000 };

/// What was measured beside one load.
struct Measured {
    what: String,
    load: Load,
    /// Events of one commit, and appends a second that a commit of so many allows.
    batch: f64,
    allowed: f64,
}

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let levels: &[usize] = if is_quick { &LEVELS_QUICK } else { &LEVELS };
    let scale = if is_quick { QUICK } else { FULL };
    let title = "Appends of one event of 260 bytes by clients in this process, each waiting for its commit. Batch: events of one \
                 commit. Allowed: batch / (F + I(batch)), F one plain commit and I(n) an insert of n rows into the same table, both \
                 measured right before, over one connection.";
    let mut section = Section::new("store", title);
    let place = Place::new("store").await?;
    let product = place.product().await?;
    let mut connection = place.connect().await?;
    let flush = plain_commits(&mut connection, scale.turns).await?.median();
    let mut all = Vec::new();
    for streams in [Streams::Own, Streams::Hot] {
        for clients in levels {
            let before = plain_commits(&mut connection, scale.turns / 5).await?.median();
            let (load, batch) =
                appending::measure(&product.store, &mut connection, *clients, streams, scale.span)
                    .await?;
            let rows = (batch.round() as usize).max(1);
            let insert = inserts(&mut connection, rows, scale.turns / 10).await?.median();
            let allowed = appends_allowed(batch, before, insert);
            let what = streams.name().to_owned();
            all.push(Measured { what, load, batch, allowed });
        }
    }
    for count in [2, 4] {
        let (load, batch) = processes::measure(&place, &mut connection, count, scale.span).await?;
        let insert = inserts(&mut connection, (batch.round() as usize).max(1), scale.turns / 10);
        let allowed = appends_allowed(batch, flush, insert.await?.median());
        all.push(Measured { what: format!("{count} processes"), load, batch, allowed });
    }
    section.targets = targets(&all, flush);
    section.tables.push(table(&all));
    section.plots.push(plot(&all));

    let read = reading::measure(&product.store, scale.events, scale.span).await?;
    let scans = scan(&mut connection).await?;
    section.tables.push(read.table(&scans));
    section.targets.push(Target {
        what: "read all".to_owned(),
        limit_of: "server-side scan".to_owned(),
        limit: scans.scanned,
        reached: read.all,
        unit: "events/s",
        wanted: Wanted::AtLeast(OF_SCAN),
        gap: "the scan sends nothing: rows that are sent and not looked at come to 0.1 to 0.2 of it (Reads), half of which KeyNest reads",
    });
    product.close().await;
    place.leave().await?;

    let others = rivals::measure(levels, scale.span).await?;
    section.tables.push(rivals::table(&all, &others));
    section.plots.push(rivals::plot(&all, &others));
    let samples: Vec<Value> = all.iter().map(|it| it.load.to_json(&it.what)).collect();
    section.samples = json!({
        "appends": samples, "read": read.to_json(),
        "others": others.iter().map(|it| it.raw.clone()).collect::<Vec<_>>(),
    });
    Ok(section)
}

/// Appends of clients to streams of their own.
pub async fn own_appends(store: &EventStore, clients: usize, span: Span) -> anyhow::Result<Load> {
    appending::load(store, clients, Streams::Own, span).await
}

fn targets(all: &[Measured], flush: f64) -> Vec<Target> {
    let own = all.iter().filter(|it| it.what == Streams::Own.name());
    let mut targets: Vec<Target> = own
        .clone()
        .filter(|it| it.load.clients > 1)
        .map(|it| Target {
            what: format!("append, {} clients", it.load.clients),
            limit_of: format!("n / (F + I(n)), n = {:.1}", it.batch),
            limit: it.allowed,
            reached: it.load.rate(),
            unit: "/s",
            wanted: Wanted::AtLeast(OF_ALLOWED),
            gap: "append_batch also looks up and writes streams and commands; I(n) is the insert of events alone",
        })
        .collect();
    let single = own.filter(|it| it.load.clients == 1);
    targets.extend(single.map(|it| Target {
        what: "append, one client, p50".to_owned(),
        limit_of: "one plain commit".to_owned(),
        limit: flush,
        reached: it.load.samples.median(),
        unit: "ms",
        wanted: Wanted::AtMost(OF_PLAIN),
            gap: "the eleven statements of append_batch: 0.35 ms of processor time in Postgres, a plain commit's is one",
    }));
    targets
}

fn table(all: &[Measured]) -> Table {
    let head = [
        "appends",
        "clients",
        "per second",
        "p50, ms",
        "p99, ms",
        "errors",
        "batch",
        "allowed",
        "ratio",
    ];
    let mut table = Table::new("Appends", head);
    for Measured { what, load, batch, allowed } in all {
        let cells = [what.clone(), load.clients.to_string()];
        let ends = [
            format!("{batch:.1}"),
            format!("{allowed:.0}"),
            format!("{:.2}", load.rate() / allowed),
        ];
        table.row(cells.into_iter().chain(load.cells()).chain(ends));
    }
    table
}

fn plot(all: &[Measured]) -> Plot {
    let mut plot = Plot::new("Appends, each to its own stream", "clients", "per second");
    let own: Vec<_> = all.iter().filter(|it| it.what == Streams::Own.name()).collect();
    let line = |value: fn(&Measured) -> f64| {
        own.iter().map(|it| (it.load.clients as f64, value(it))).collect::<Vec<_>>()
    };
    plot.line("KeyNest", line(|it| it.load.rate()));
    plot.line("allowed", line(|it| it.allowed));
    plot
}
