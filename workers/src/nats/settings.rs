//! What the configuration says about NATS.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use secrecy::SecretString;

use super::message::SUBJECTS;

/// A pull that nothing came for is asked again after so many heartbeats.
const HEARTBEATS_PER_PULL: u32 = 6;

/// Where NATS is, and what KeyNest makes there.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct NatsSettings {
    /// One or more of `nats://user:password@host:4222` and `tls://host:4222`, with commas between them.
    pub url: SecretString,
    /// A `.creds` file: JWT and seed.
    pub credentials_file: Option<PathBuf>,
    /// Certificates (PEM) trusted besides the system's; with one, TLS is required.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key (PEM) that this process shows.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    pub stream: String,
    pub stream_replicas: usize,
    pub stream_bytes_max: i64,
    pub stream_age_max: Duration,
    /// How long the stream remembers event ids.
    pub duplicate_window: Duration,
    /// Whether the streams of reveals (`access-`) are relayed too.
    pub has_access_events: bool,
    /// What the messages name as their source: the origin of this KeyNest.
    pub source: String,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    /// Messages under way to the stream at a time.
    pub publish_window: usize,
    /// Messages under way to one consumer at a time.
    pub unacknowledged_max: usize,
    /// After so long an unacknowledged message is sent again.
    pub ack_wait: Duration,
    /// Two missing heartbeats end a pull.
    pub heartbeat: Duration,
    /// How often a consumer asks the log itself, whatever NATS says.
    pub poll: Duration,
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self {
            url: SecretString::default(),
            credentials_file: None,
            ca_file: None,
            client_certificate: None,
            stream: "keynest".to_owned(),
            stream_replicas: 1,
            stream_bytes_max: 1024 * 1024 * 1024,
            stream_age_max: Duration::from_secs(30 * 86_400),
            duplicate_window: Duration::from_secs(120),
            has_access_events: false,
            source: "http://localhost:8000".to_owned(),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            publish_window: 256,
            unacknowledged_max: 1_000,
            ack_wait: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
            poll: Duration::from_secs(5),
        }
    }
}

impl NatsSettings {
    pub(super) fn stream_config(&self) -> Config {
        Config {
            name: self.stream.clone(),
            description: Some("The event log of KeyNest, derived from its event store".to_owned()),
            subjects: vec![SUBJECTS.to_owned()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            num_replicas: self.stream_replicas,
            max_bytes: self.stream_bytes_max,
            max_age: self.stream_age_max,
            duplicate_window: self.duplicate_window,
            allow_direct: true,
            ..Config::default()
        }
    }

    /// It begins at the end of the stream: what lies before is read from the log when a process attaches to it.
    pub(super) fn consumer_config(&self, durable: &str) -> pull::Config {
        pull::Config {
            durable_name: Some(durable.to_owned()),
            deliver_policy: DeliverPolicy::New,
            // One process at a time reads in order, so one word says all: everything up to here.
            ack_policy: AckPolicy::All,
            ack_wait: self.ack_wait,
            max_ack_pending: i64::try_from(self.unacknowledged_max).unwrap_or(i64::MAX),
            filter_subject: SUBJECTS.to_owned(),
            headers_only: true,
            ..pull::Config::default()
        }
    }

    pub(super) fn pull_expires(&self) -> Duration {
        self.heartbeat * HEARTBEATS_PER_PULL
    }
}
