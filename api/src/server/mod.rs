//! The accept loop: connections in, requests out, every wait bounded (DESIGN 11).
//!
//! axum's own `serve` has no deadline for request heads and no caps (THREATS 0.4), and hyper takes requests that
//! are dangerous behind a proxy (THREATS 0.5); so the loop, the guard on the stream and the request body are here.

mod accept;
mod activity;
mod address_block;
mod caps;
mod chunks;
mod connection;
mod framing;
mod guard;
mod head;
mod limits;
mod refusal;
mod request_body;
mod stop;

pub use accept::{Drained, Listener, serve};
pub use address_block::AddressBlock;
pub use limits::{ServerLimits, ServerOptions};
pub use request_body::{BodyFault, BodyLimit, BodyLimitLayer, body_limit, body_problem, read_body};
pub use stop::Stop;

/// The socket address at the other end, an extension of every request. Behind a proxy it is the proxy's;
/// `middleware::ClientAddress` is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub std::net::SocketAddr);

/// The wish to stop gracefully, an extension of every request: answers that wait for something end with it.
#[derive(Clone, Debug, Default)]
pub struct Draining(pub tokio_util::sync::CancellationToken);
