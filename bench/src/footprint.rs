//! How long a start takes, and what the product holds in memory.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::instance::{Instance, resident};
use crate::load::Span;
use crate::measured::Kind as _;
use crate::place::Place;
use crate::section::Section;
use crate::seed::Plan;
use crate::table::Table;
use crate::target::Target;
use crate::world::{World, small};
use crate::{commands, queries};

const STARTS: usize = 5;
const CONNECTIONS: usize = 64;
/// Until a process that nobody asks anything has come to rest.
const REST: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// DESIGN 10.
const IDLE_MB_MAX: f64 = 60.0;
const READY_MS_MAX: f64 = 1_000.0;

/// Runs the section.
pub async fn run(is_quick: bool) -> anyhow::Result<Section> {
    let span = if is_quick { Span::millis(200, 800) } else { Span::millis(500, 3_000) };
    let first = first_start().await?;
    let plan = Plan { invitations: 10, ..small(CONNECTIONS) };
    let mut world = World::new("footprint", &plan).await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let again = Instance::start(&world.place).await?;
        starts.push(again.ready_after.as_secs_f64() * 1e3);
        again.stop().await?;
    }
    starts.sort_unstable_by(f64::total_cmp);
    sleep(REST).await;
    let idle = world.instance.memory()?;
    let peak = Peak::watch(world.instance.id()?);
    queries::measure(&world, &[CONNECTIONS], span).await?;
    commands::measure(&mut world, commands::Kind::ALL, &[CONNECTIONS], span).await?;
    let (loaded, after) = (peak.end().await?, world.instance.memory()?);
    world.leave().await?;
    let binary = std::env::current_exe()?.with_file_name("keynest");
    let size = std::fs::metadata(binary)?.len() as f64 / 1e6;

    let title = format!(
        "Starts are from the process to its first answer that it is ready. Memory is resident memory of the one process, {} s \
         after its start, during and after a load of {CONNECTIONS} connections on every route of the sections commands and queries.",
        REST.as_secs()
    );
    let mut section = Section::new("footprint", title);
    let mut table = Table::new("", ["figure", "value"]);
    let median = starts[starts.len() / 2];
    for (name, value) in [
        ("first start, on an empty database", format!("{first:.0} ms")),
        ("start on an existing database, median of 5", format!("{median:.0} ms")),
        ("memory, idle", format!("{idle:.1} MB")),
        ("memory, most under load", format!("{loaded:.1} MB")),
        ("memory, after load", format!("{after:.1} MB")),
        ("binary", format!("{size:.1} MB")),
    ] {
        table.row([name.to_owned(), value]);
    }
    section.tables.push(table);
    section.targets = vec![
        Target::fixed("memory, idle", idle, "MB", IDLE_MB_MAX, false),
        Target::fixed("start on an existing database", median, "ms", READY_MS_MAX, false),
    ];
    section.samples = json!({
        "first_start_ms": first, "starts_ms": starts, "idle_mb": idle, "most_mb": loaded, "after_mb": after, "binary_mb": size,
    });
    Ok(section)
}

/// Looks at a process's memory while others work.
struct Peak {
    most: JoinHandle<anyhow::Result<f64>>,
    enough: CancellationToken,
}

impl Peak {
    fn watch(process: u32) -> Self {
        let enough = CancellationToken::new();
        let is_enough = enough.clone();
        let most = tokio::spawn(async move {
            let mut most = 0.0_f64;
            while !is_enough.is_cancelled() {
                most = most.max(resident(process)?);
                sleep(LOOK_EVERY).await;
            }
            Ok(most)
        });
        Self { most, enough }
    }

    /// The most it was, in MB.
    async fn end(self) -> anyhow::Result<f64> {
        self.enough.cancel();
        self.most.await?
    }
}

/// With all migrations, in milliseconds.
async fn first_start() -> anyhow::Result<f64> {
    let place = Place::new("first_start").await?;
    let instance = Instance::start(&place).await?;
    let took = instance.ready_after.as_secs_f64() * 1e3;
    instance.stop().await?;
    place.leave().await?;
    Ok(took)
}
