//! What the machine allows: the figures that everything else is held against.

mod arithmetic;
pub mod database;
pub mod handler;

use serde_json::json;

use crate::load::Span;
use crate::place::Place;
use crate::section::Section;
use crate::seed;
use crate::table::Table;
use crate::target::rounded;
use crate::{bare, world};

/// Events that scans go over.
const EVENTS: u64 = 200_000;
const EVENTS_QUICK: u64 = 20_000;
/// Connections to the bare handlers.
const CONNECTIONS: usize = 64;
/// Rows of one insert.
const ROWS: [usize; 4] = [1, 8, 64, 256];

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let (turns, millis) = if is_quick { (100, 1_000) } else { (1_000, 4_000) };
    let mut table = Table::new("", ["limit", "figure", ""]);
    let mut samples = serde_json::Map::new();
    let place = Place::new("limits").await?;
    let product = place.product().await?;
    let mut plan = world::small(CONNECTIONS);
    plan.events = if is_quick { EVENTS_QUICK } else { EVENTS };
    let seeded = seed::seed(&product, &plan).await?;
    seed::catch_up(&product).await?;
    let mut connection = place.connect().await?;

    let flush = database::plain_commits(&mut connection, turns).await?;
    table.row(["plain commit (F)".to_owned(), ms(flush.median()), "p50".to_owned()]);
    samples.insert("plain_commit_us".to_owned(), json!(flush.micros()));
    for rows in ROWS {
        let inserts = database::inserts(&mut connection, rows, turns / 5).await?;
        table.row([
            format!("insert of {rows} (I({rows}))"),
            ms(inserts.median()),
            "p50".to_owned(),
        ]);
        samples.insert(format!("insert_{rows}_us"), json!(inserts.micros()));
    }
    let scans = database::scan(&mut connection).await?;
    for (name, rate) in [
        ("server-side scan", scans.scanned),
        ("all rows sent, not looked at", scans.sent),
        ("server-side insert-select", scans.inserted),
    ] {
        table.row([name.to_owned(), format!("{rate:.0} events/s"), "best of 3".to_owned()]);
    }
    samples.insert(
        "scan".to_owned(),
        json!({ "scanned": scans.scanned, "sent": scans.sent, "inserted": scans.inserted }),
    );

    for (name, took) in arithmetic::measure(&product, turns / 10).await? {
        let each = took.median();
        table.row([name.to_owned(), ms(each), format!("{} /s on one core", rounded(1e3 / each))]);
        samples.insert(format!("{name} (us)"), json!(took.micros()));
    }
    product.close().await;

    let server = bare::start(&place).await?;
    for route in ["nothing", "statement", "append", "statement_and_append"] {
        let span = Span::millis(millis / 4, millis);
        let load = handler::measure(&server, route, &seeded.teams, CONNECTIONS, span).await?;
        let what = format!("bare handler: {}", route.replace('_', " "));
        let p99 = ms(load.samples.percentile(99));
        table.row([
            what,
            format!("{:.0} /s", load.rate()),
            format!("{CONNECTIONS} connections, p99 {p99}"),
        ]);
        samples.insert(format!("bare_{route}"), load.to_json(route));
    }
    server.stop().await?;
    place.leave().await?;
    let title = "What the machine allows, whatever KeyNest does: Postgres by one connection, a bare axum handler in a process \
                 of its own, arithmetic on one core.";
    Ok(Section { tables: vec![table], samples: samples.into(), ..Section::new("limits", title) })
}

fn ms(millis: f64) -> String {
    if millis < 0.1 { format!("{:.1} µs", millis * 1e3) } else { format!("{millis:.2} ms") }
}
