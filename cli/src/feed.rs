//! What carries the feed: the event store itself or, with `nats.url`, NATS JetStream.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use keynest_workers::{Feed, JetStream, NatsSettings, Relay};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Nats};
use crate::product::Product;

/// The feed of this process's workers; with NATS also the relay, which one process at a time runs.
pub(crate) async fn start(
    product: &Product,
    tasks: &TaskTracker,
    done: &CancellationToken,
) -> anyhow::Result<Feed> {
    let store = product.store.clone();
    let Some(settings) = nats_settings(&product.config) else { return Ok(Feed::Store(store)) };
    let nats = JetStream::connect(settings).await.context("connect to NATS")?;
    let relay = Relay::new(nats.clone(), store.clone(), product.store_pool.clone());
    tasks.spawn(relay.run(done.clone()));
    Ok(Feed::JetStream(store, Box::new(nats)))
}

pub(crate) fn nats_settings(config: &Config) -> Option<NatsSettings> {
    let Nats {
        url,
        credentials_file,
        ca_file,
        client_certificate_file,
        client_key_file,
        stream,
        stream_replicas,
        stream_bytes_max,
        stream_age_hours_max,
        duplicate_window_seconds,
        access_events,
        connect_timeout_ms,
        request_timeout_ms,
        publish_window_max,
        unacknowledged_max,
        ack_wait_ms,
        heartbeat_ms,
        poll_ms,
    } = &config.nats;
    Some(NatsSettings {
        url: url.reveal()?.into(),
        credentials_file: named(credentials_file),
        ca_file: named(ca_file),
        client_certificate: named(client_certificate_file).zip(named(client_key_file)),
        stream: stream.clone(),
        stream_replicas: *stream_replicas,
        stream_bytes_max: i64::try_from(*stream_bytes_max).unwrap_or(i64::MAX),
        stream_age_max: Duration::from_secs(u64::from(*stream_age_hours_max) * 3_600),
        duplicate_window: Duration::from_secs((*duplicate_window_seconds).into()),
        has_access_events: *access_events,
        source: config.public.url.as_str().to_owned(),
        connect_timeout: Duration::from_millis(*connect_timeout_ms),
        request_timeout: Duration::from_millis(*request_timeout_ms),
        publish_window: *publish_window_max,
        unacknowledged_max: *unacknowledged_max,
        ack_wait: Duration::from_millis(*ack_wait_ms),
        heartbeat: Duration::from_millis(*heartbeat_ms),
        poll: Duration::from_millis(*poll_ms),
    })
}

fn named(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_configuration_are_those_of_the_carrier() {
        let url = serde_json::from_value(serde_json::json!("nats://a")).unwrap();
        let config = Config { nats: Nats { url, ..Nats::default() }, ..Config::default() };
        let ours = nats_settings(&config).unwrap();
        let theirs = NatsSettings { url: "nats://a".into(), ..NatsSettings::default() };
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert!(!format!("{ours:?}").contains("nats://a"), "it may hold a password");
    }
}
