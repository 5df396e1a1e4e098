//! What an operator watches of a consumer: work that waits, dead letters, lag.

use keynest_domain::Timestamp;
use keynest_store::Position;

use crate::consumer::ConsumerError;
use crate::feed::Feed;
use crate::work::WorkTable;

/// Sets the gauges of one durable. Its lag is what the log has behind the last event that was settled, whether wanted or
/// not, and the age of the first of it.
pub(crate) async fn measure(
    feed: &Feed,
    table: &WorkTable,
    durable: &'static str,
    seen: Position,
    now: Timestamp,
) -> Result<(), ConsumerError> {
    let (waiting, dead) = table.counts(durable).await?;
    metrics::gauge!("keynest_work_waiting", "durable" => durable).set(waiting as f64);
    metrics::gauge!("keynest_work_dead", "durable" => durable).set(dead as f64);
    let behind = feed.behind(seen).await?;
    metrics::gauge!("keynest_consumer_lag_events", "durable" => durable).set(behind as f64);
    let next = feed.read(seen, 1).await?;
    let micros = next.first().map_or(0, |next| (now.micros() - next.recorded_at.micros()).max(0));
    metrics::gauge!("keynest_consumer_lag_seconds", "durable" => durable).set(micros as f64 / 1e6);
    Ok(())
}
