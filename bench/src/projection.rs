//! From an append until every read model shows it, at a steady rate; and read models built anew from a long log.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use keynest_cli::product::Product;
use keynest_domain::StreamName;
use keynest_projections::{Projections, names};
use keynest_store::{Append, EventStore, Expected, Metadata, NewEvent, StreamAppend};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::limits::database::scan;
use crate::load::{Caller, Span, closed};
use crate::place::Place;
use crate::plot::Plot;
use crate::samples::Samples;
use crate::section::Section;
use crate::seed::{self, Plan, Team};
use crate::table::Table;
use crate::target::{Target, Wanted, rounded};
use crate::world::small;

/// Events a second (DESIGN 6).
const RATE: u64 = 1_000;
const P50_MS_MAX: f64 = 10.0;
const P99_MS_MAX: f64 = 50.0;
const OF_INSERT_SELECT: f64 = 0.5;
/// Of the most that gets through.
const PART_OF_MOST: f64 = 0.8;
const LATE: &str = "a transaction each of the audit log and the variables, which take two cores in turns with the appends";
const CLIENTS: usize = 256;
/// Of the long log.
const EVENTS: u64 = 1_000_000;
const EVENTS_QUICK: u64 = 20_000;
const VISIBLE_MAX: Duration = Duration::from_secs(60);

struct Scale {
    seconds: u64,
    /// Of the log that is replayed.
    plan: Plan,
}

/// Appends one event and waits until everything shows it.
struct Client {
    parts: Parts,
    events: std::vec::IntoIter<(StreamName, NewEvent)>,
}

#[derive(Clone)]
struct Parts {
    store: EventStore,
    projections: Projections,
    clock: keynest_commands::Clock,
}

/// Of one append: until it was answered, and until it was visible.
struct Times {
    answered: Duration,
    visible: Duration,
}

fn scale(events: Option<u64>, is_quick: bool) -> anyhow::Result<Scale> {
    let (seconds, usual) = if is_quick { (4, EVENTS_QUICK) } else { (10, EVENTS) };
    let events = events.unwrap_or(usual);
    // Four fifths of the events are creations of variables, as far as the log goes.
    let teams = usize::try_from(events)? / 70;
    let plan = Plan { people: 5 * teams, teams, sessions: 0, events, ..small(teams) };
    Ok(Scale { seconds, plan })
}

/// Runs the section.
pub async fn run(events: Option<u64>, is_quick: bool) -> anyhow::Result<Section> {
    let Scale { seconds, plan } = scale(events, is_quick)?;
    let title = "Creations of variables, in this process: appended through the store's port, projected by the product's runners \
                 into all read models. Then every read model is built anew beside the live one.";
    let mut section = Section::new("projection", title);
    let place = Place::new("projection").await?;
    let product = place.product().await?;
    let mut live = small(CLIENTS);
    live.variables = 1;
    let teams = seed::seed(&product, &live).await?.teams;
    seed::catch_up(&product).await?;
    let stop = CancellationToken::new();
    let running = product.projections.start(&stop);
    let parts = Parts {
        store: product.store.clone(),
        projections: product.projections.clone(),
        clock: product.clock.clone(),
    };
    // The first second is not counted: pools and plans are cold.
    steady_at(&product, &parts, &teams, RATE, 1).await?;
    let steady = steady_at(&product, &parts, &teams, RATE, seconds).await?;
    let most = most(&product, &parts, &teams, seconds).await?;
    let high = ((most * PART_OF_MOST) as u64).max(1);
    let near = steady_at(&product, &parts, &teams, high, seconds).await?;
    stop.cancel();
    running.wait().await;
    let head = ["events/s", "append to answer, p50", "p99", "append to visible, p50", "p99 (ms)"];
    let mut table = Table::new(format!("Append to visible; the most was {most:.0} events/s"), head);
    let mut plot = Plot::new("Append to visible", "percentile", "ms");
    for (rate, (answered, visible)) in [(RATE, &steady), (high, &near)] {
        let cells =
            [answered.median(), answered.percentile(99), visible.median(), visible.percentile(99)];
        table.row([rate.to_string()].into_iter().chain(cells.map(|it| format!("{it:.2}"))));
        plot.line(format!("{rate} events/s"), visible.curve());
    }
    section.tables.push(table);
    section.plots.push(plot);
    let what = |which: &str| format!("append to visible at {RATE}/s, {which}");
    section.targets = vec![
        Target::fixed(&what("p50"), steady.1.median(), "ms", P50_MS_MAX, false).because(LATE),
        Target::fixed(&what("p99"), steady.1.percentile(99), "ms", P99_MS_MAX, false).because(LATE),
    ];
    rebuild(&place, &product, &plan, &mut section).await?;
    section.samples = json!({
        "rate": RATE, "answered_us": steady.0.micros(), "visible_us": steady.1.micros(), "most": most,
        "high_rate": high, "high_answered_us": near.0.micros(), "high_visible_us": near.1.micros(),
    });
    product.close().await;
    place.leave().await?;
    Ok(section)
}

/// Appends at a rate, whether earlier ones were answered or not: times until answered and until visible.
async fn steady_at(
    product: &Product,
    parts: &Parts,
    teams: &[Team],
    rate: u64,
    seconds: u64,
) -> anyhow::Result<(Samples, Samples)> {
    let events = seed::creations(product, teams, usize::try_from(rate * seconds)?).await?;
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(rate)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = Vec::with_capacity(events.len());
    for (stream, event) in events {
        tick.tick().await;
        let parts = parts.clone();
        under_way.push(tokio::spawn(async move { parts.show(stream, event).await }));
    }
    let (mut answered, mut visible) = (Samples::default(), Samples::default());
    for times in under_way {
        let times = times.await??;
        answered.push(times.answered);
        visible.push(times.visible);
    }
    Ok((answered, visible))
}

/// Events a second that get through when everybody waits for visibility.
async fn most(
    product: &Product,
    parts: &Parts,
    teams: &[Team],
    seconds: u64,
) -> anyhow::Result<f64> {
    let each = 10_000 * usize::try_from(seconds)? / CLIENTS;
    let mut clients = Vec::new();
    for team in teams {
        let events = seed::creations(product, std::slice::from_ref(team), each).await?;
        clients.push(Client { parts: parts.clone(), events: events.into_iter() });
    }
    let span = Span { warm_up: Duration::from_secs(1), counted: Duration::from_secs(seconds / 2) };
    let load = closed(clients, span).await?.0;
    ensure!(load.errors == 0, "{:?}", load.error);
    Ok(load.rate())
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        let Some((stream, event)) = self.events.next() else { return Ok(false) };
        self.parts.show(stream, event).await?;
        Ok(true)
    }
}

impl Parts {
    async fn show(&self, stream: StreamName, event: NewEvent) -> anyhow::Result<Times> {
        let (checks, claims, releases) = Default::default();
        let append = Append {
            command_id: self.clock.command_id(),
            streams: vec![StreamAppend { stream, expected: Expected::Any, events: vec![event] }],
            checks,
            claims,
            releases,
            metadata: Metadata::default(),
        };
        let began = Instant::now();
        let position = self.store.append(append).await?.position;
        let answered = began.elapsed();
        let visibility = self.projections.visibility();
        let is_visible = visibility.wait_for(position, names::ALL, VISIBLE_MAX).await;
        ensure!(is_visible, "not visible in time");
        Ok(Times { answered, visible: began.elapsed() })
    }
}

/// Every read model over a longer log.
async fn rebuild(
    place: &Place,
    product: &Product,
    plan: &Plan,
    section: &mut Section,
) -> anyhow::Result<()> {
    seed::seed_behind(product, plan).await.context("make a long log")?;
    seed::catch_up(product).await?;
    let events = product.store.head().await?.to_stored() as f64;
    let inserted = scan(&mut place.connect().await?).await?.inserted;
    let head = ["read model", "seconds", "events/s", "of the server's insert-select"];
    let mut table = Table::new(format!("Rebuilds of a log of {events:.0} events"), head);
    let mut total = 0.0;
    for name in names::ALL {
        let began = Instant::now();
        product.projections.rebuild(name, &|_| {}).await.with_context(|| (*name).to_owned())?;
        let seconds = began.elapsed().as_secs_f64();
        total += seconds;
        let rate = events / seconds;
        let cells = [format!("{seconds:.2}"), format!("{rate:.0}"), rounded(rate / inserted)];
        table.row([(*name).to_owned()].into_iter().chain(cells));
        if *name == names::AUDIT_LOG {
            section.targets.push(Target {
                what: "rebuild of the audit log, a row per event".to_owned(),
                limit_of: "server-side insert-select of the events".to_owned(),
                limit: inserted,
                reached: rate,
                unit: "events/s",
                wanted: Wanted::AtLeast(OF_INSERT_SELECT),
                gap: "rows are decoded, opened and described, and written with five indexes",
            });
        }
    }
    let rate = events / total;
    let cells = [format!("{total:.2}"), format!("{rate:.0}"), rounded(rate / inserted)];
    table.row(["all, one after the other".to_owned()].into_iter().chain(cells));
    section.tables.push(table);
    Ok(())
}
