//! How far each projection is behind the log, measured apart from the runners: one that is stuck could not tell.

use std::collections::HashMap;
use std::time::Duration;

use keynest_store::{EventStore, Position, ReadError};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::visibility::Visibility;

/// Between two measurements.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Sets the gauges of these projections until `stop`.
pub(crate) async fn measure(
    projections: Vec<&'static str>,
    store: EventStore,
    visibility: Visibility,
    stop: CancellationToken,
) {
    let head = store.watch_head();
    let mut tick = interval(MEASURE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! { () = stop.cancelled() => return, _ = tick.tick() => {} }
        let head = *head.borrow();
        // Most stand at the same place, and counting may mean reading.
        let mut counted = HashMap::new();
        for projection in &projections {
            let Some(visible) = visibility.position(projection) else { continue };
            if let Err(error) = set(projection, visible, head, &store, &mut counted).await {
                // The event store is away, which others report; the number of events is known all the same.
                tracing::debug!(error = %error, "the age of what a projection is behind cannot be read");
            }
        }
    }
}

async fn set(
    projection: &'static str,
    visible: Position,
    head: Position,
    store: &EventStore,
    counted: &mut HashMap<Position, u64>,
) -> Result<(), ReadError> {
    let events = match counted.get(&visible) {
        Some(events) => *events,
        None => store.count_between(visible, head).await?,
    };
    counted.insert(visible, events);
    metrics::gauge!("keynest_projection_lag_events", "projection" => projection).set(events as f64);
    let mut micros = 0;
    if events > 0
        && let Some(oldest) = store.read_all(visible, 1).await?.first()
    {
        micros = (store.clock().await?.micros() - oldest.recorded_at.micros()).max(0);
    }
    let seconds = micros as f64 / 1e6;
    metrics::gauge!("keynest_projection_lag_seconds", "projection" => projection).set(seconds);
    Ok(())
}
