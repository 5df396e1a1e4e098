//! Limits of the backend in a KurrentDB cluster, each with a name and a default.

use std::time::Duration;

/// What the configuration may set.
#[derive(Clone, Debug)]
pub struct KurrentOptions {
    /// How the names of this log's streams begin, so that several can live in one cluster.
    pub stream_prefix: String,
    /// For how long the first connection is tried.
    pub connect_for: Duration,
    /// The longest pause between two tries.
    pub connect_pause_max: Duration,
    /// Appends that are sent or wait for their turn; one more is refused as busy.
    pub queue_requests: usize,
    /// Bytes of these appends; more is refused as busy.
    pub queue_bytes: u32,
    /// Appends that are sent at a time.
    pub appends_in_flight: usize,
    /// For how long an append is cleared up whose outcome is not known.
    pub resend_for: Duration,
    /// The pause before it is sent again the first time; it doubles each time.
    pub resend_pause: Duration,
    /// How often the head is asked for while nobody tells it.
    pub poll_interval: Duration,
}

impl Default for KurrentOptions {
    fn default() -> Self {
        Self {
            stream_prefix: "keynest".to_owned(),
            connect_for: Duration::from_secs(10),
            connect_pause_max: Duration::from_secs(1),
            queue_requests: 4_096,
            queue_bytes: 64 * 1024 * 1024,
            appends_in_flight: 64,
            resend_for: Duration::from_secs(5),
            resend_pause: Duration::from_millis(20),
            poll_interval: Duration::from_millis(500),
        }
    }
}
