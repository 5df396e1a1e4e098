//! What the configuration says about the event feed.

use std::time::Duration;

/// Limits of the event feed, in one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedLimits {
    /// Requests that read the feed at a time.
    pub readers_max: usize,
    /// The same of one caller.
    pub readers_per_caller_max: usize,
    /// Events in one answer when the caller does not say.
    pub page_size: u32,
    /// Events in one answer at most.
    pub page_size_max: u32,
    /// Bytes after which an answer, or a part of a stream, has no further event.
    pub page_bytes_max: usize,
    /// Events that one look passes by at most, whether or not they are asked for.
    pub scan_max: u32,
    /// Looks at a time; the others wait for their turn.
    pub looks_max: usize,
    /// How long one request waits at most.
    pub wait_max: Duration,
    /// Silence after which a stream says that it is still there.
    pub heartbeat: Duration,
    /// How long the reader of a stream that ended is asked to wait.
    pub retry: Duration,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            readers_max: 256,
            readers_per_caller_max: 32,
            page_size: 100,
            page_size_max: 1_000,
            page_bytes_max: 1024 * 1024,
            scan_max: 1_000,
            looks_max: 8,
            wait_max: Duration::from_secs(20),
            heartbeat: Duration::from_secs(15),
            retry: Duration::from_secs(2),
        }
    }
}
