//! What is told of a group.

use keynest_store::EventStore;
use tokio::sync::oneshot;
use tonic::Status;

use super::config::{Config, GroupKey};
use super::group::Command;
use super::records::{count_parked, read_checkpoint};
use super::registry::Registry;
use crate::proto::event_store::client::persistent_subscriptions::SubscriptionInfo;
use crate::proto::event_store::client::persistent_subscriptions::subscription_info::ConnectionInfo;
use crate::status::unreadable;

/// What a group at work counts.
#[derive(Default)]
pub(super) struct Statistics {
    pub connections: Vec<ConnectionInfo>,
    pub total: i64,
    pub in_flight: i32,
    pub waiting: i32,
    pub retrying: i32,
    pub checkpoint: Option<u64>,
    pub known: Option<u64>,
}

pub(super) async fn info(
    store: &EventStore,
    registry: &Registry,
    key: &GroupKey,
    config: Config,
) -> Result<SubscriptionInfo, Status> {
    let (sender, receiver) = oneshot::channel();
    let commands = registry.at_work(key).await?;
    // A group that ended meanwhile counts nothing.
    commands.send(Command::Tell(sender)).await.ok();
    let statistics = receiver.await.unwrap_or_default();
    let parked = count_parked(store, key).await.map_err(unreadable)?;
    let checkpoint = match statistics.checkpoint {
        Some(place) => Some(place),
        None => read_checkpoint(store, key).await.map_err(unreadable)?,
    };
    let place = |it: Option<u64>| it.map(|it| key.place(it.cast_signed())).unwrap_or_default();
    let is_live = !statistics.connections.is_empty();
    let start_from = config.start_text(key);
    let settings = config.settings;
    Ok(SubscriptionInfo {
        event_source: key.source().to_owned(),
        group_name: key.group.clone(),
        status: if is_live { "Live" } else { "NotReady" }.to_owned(),
        connections: statistics.connections,
        total_items: statistics.total,
        last_checkpointed_event_position: place(checkpoint),
        last_known_event_position: place(statistics.known),
        resolve_link_tos: settings.resolves_links,
        start_from,
        message_timeout_milliseconds: settings.message_timeout_ms,
        extra_statistics: settings.extra_statistics,
        max_retry_count: settings.retries_max,
        live_buffer_size: settings.live_buffer_size,
        buffer_size: settings.history_buffer_size,
        read_batch_size: settings.read_batch_size,
        check_point_after_milliseconds: settings.checkpoint_after_ms,
        min_check_point_count: settings.checkpoint_events_min,
        max_check_point_count: settings.checkpoint_events_max,
        read_buffer_count: statistics.waiting,
        live_buffer_count: 0,
        retry_buffer_count: statistics.retrying,
        total_in_flight_messages: statistics.in_flight,
        outstanding_messages_count: statistics.in_flight,
        named_consumer_strategy: settings.strategy,
        max_subscriber_count: settings.subscribers_max,
        parked_message_count: parked,
        average_per_second: 0,
        count_since_last_measurement: 0,
    })
}
