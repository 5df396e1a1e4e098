//! Every limit of the accept loop, by name and with its default.

use std::time::Duration;

use ipnet::IpNet;

/// Limits of the accept loop and of every connection.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Open connections altogether. Beyond them, new ones wait in the backlog of the kernel.
    pub connections_max: usize,
    /// Open connections of one IPv4 address or IPv6 /64. Beyond them, new ones are closed at once.
    pub connections_per_address_max: usize,
    /// From accepting a connection to its first byte.
    pub first_byte: Duration,
    /// From the first byte of a request head to its last.
    pub header: Duration,
    /// Between an answer and the next request on the same connection.
    pub idle: Duration,
    /// Patience with a body: the waits for its bytes may add up to this, and to more as bytes arrive.
    pub body_stall: Duration,
    /// A body that has used up its patience must keep up this pace, in bytes a second.
    pub body_pace_min: u32,
    /// How long a client may take no byte of its answer.
    pub write_stall: Duration,
    /// Size of a request head, in bytes.
    pub head_bytes_max: usize,
    /// Header fields in a request head.
    pub headers_max: usize,
    /// Size of a request body, in bytes, unless its route says otherwise (`body_limit`).
    pub body_bytes_max: u64,
    /// After an early answer, how long unread input is still taken, so that the client sees the answer.
    pub linger: Duration,
    /// After the wish to stop, how long running requests may go on.
    pub drain: Duration,
    /// Longest pause after an error of `accept`, such as having no file handles.
    pub accept_pause_max: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub http2_streams_max: u32,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            connections_per_address_max: 256,
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            body_stall: Duration::from_secs(10),
            body_pace_min: 1_024,
            write_stall: Duration::from_secs(30),
            head_bytes_max: 16 * 1_024,
            headers_max: 100,
            body_bytes_max: 1_024 * 1_024,
            linger: Duration::from_secs(2),
            drain: Duration::from_secs(10),
            accept_pause_max: Duration::from_secs(1),
            http2_streams_max: 128,
        }
    }
}

/// What one listener is told.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Its limits.
    pub limits: ServerLimits,
    /// `host[:port]` under which clients reach it. An absolute-form target must equal `Host` and, if there are
    /// any here, be one of them.
    pub authorities: Vec<String>,
    /// Networks whose connections are not counted per address: the proxies in front.
    pub uncounted: Vec<IpNet>,
}
