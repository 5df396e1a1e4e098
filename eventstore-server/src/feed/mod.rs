//! The log as a read-only feed for callers with credentials: each sees what is theirs, and nothing tells of the rest.

mod connections;
mod gate;
mod read;
mod refused;
mod services;
mod subscribe;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::transport::{Identity, Server, ServerTlsConfig};

pub use self::gate::{Call, Gate, Part, Reader, Refusal, Told};
use self::refused::Refused;
use self::services::{FeedFeatures, FeedGossip, FeedService};
use crate::ending;
use crate::proto::event_store::client::gossip::gossip_server::GossipServer;
use crate::proto::event_store::client::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptionsServer;
use crate::proto::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::proto::event_store::client::streams::streams_server::StreamsServer;
use crate::proto::v2::streams_service_server::StreamsServiceServer;

/// Places that things recorded at the same moment may have.
const PLACES_AT_ONCE_MAX: u64 = 1 << 13;
/// How long a handshake may take.
const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// Limits of the feed's listener.
#[derive(Clone, Debug)]
pub struct FeedOptions {
    /// Open connections altogether; further ones wait in the kernel.
    pub connections_max: usize,
    /// Calls at a time on one connection.
    pub streams_max: u32,
    /// Bytes of one message of a client's: reads are small.
    pub message_bytes_max: usize,
    /// How often a silent peer is asked whether it is there, and how long it may take to answer.
    pub keep_alive: Duration,
    /// After the wish to stop, how long calls may go on.
    pub drain: Duration,
    /// TLS, if it is served here.
    pub tls: Option<FeedTls>,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct FeedTls {
    /// The chain, the server's own first.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl fmt::Debug for FeedTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedTls(..)")
    }
}

/// Serves the feed until `draining` is done; then calls end, and whoever does not within `options.drain` is cut off.
pub async fn serve_feed(
    gate: impl Gate,
    listener: TcpListener,
    options: FeedOptions,
    draining: impl Future<Output = ()> + Clone + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    let gossip = FeedGossip { address: connections::address(&listener) };
    let streams = StreamsServer::new(FeedService(Arc::new(gate)))
        .max_decoding_message_size(options.message_bytes_max);
    let mut server = Server::builder()
        .max_concurrent_streams(options.streams_max)
        .http2_keepalive_interval(Some(options.keep_alive))
        .http2_keepalive_timeout(Some(options.keep_alive));
    if let Some(FeedTls { certificate, key }) = &options.tls {
        let identity = Identity::from_pem(certificate, key);
        let tls = ServerTlsConfig::new().identity(identity).timeout(TLS_HANDSHAKE);
        server = server.tls_config(tls)?;
    }
    let serving = server
        .add_service(streams)
        .add_service(PersistentSubscriptionsServer::new(Refused))
        .add_service(StreamsServiceServer::new(Refused))
        .add_service(ServerFeaturesServer::new(FeedFeatures))
        .add_service(GossipServer::new(gossip))
        .serve_with_incoming_shutdown(
            connections::accept(listener, options.connections_max),
            draining.clone(),
        );
    ending::serving(serving, draining, options.drain).await
}
