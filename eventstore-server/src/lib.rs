//! KeyNest's event log over the public gRPC protocol of KurrentDB (EventStoreDB), for its official clients.
//!
//! Over any backend of the store, it is the test double of a KurrentDB server: appends, reads, subscriptions, persistent ones too.
//! Events of KeyNest's are told as they stand in the log; events of clients are kept in an envelope and come back as they were
//! sent. Decision 0130 says how what the log does not know (deleted streams, their settings, groups) is kept in it.

mod append;
mod ending;
mod envelope;
mod features;
mod feed;
mod filter;
mod gossip;
mod guard;
mod ids;
mod message;
mod names;
mod persistent;
#[doc(hidden)]
pub mod proto;
mod sessions;
mod status;
mod streams;

use std::net::SocketAddr;
use std::time::Duration;

use futures::FutureExt;
use keynest_store::{EventStore, PROTOCOL_BYTES_MAX};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::features::FeaturesService;
pub use crate::feed::{Call, FeedOptions, FeedTls, Gate, Part, Reader, Refusal, Told, serve_feed};
use crate::gossip::GossipService;
use crate::ids::new_id;
use crate::persistent::PersistentService;
use crate::proto::event_store::client::gossip::gossip_server::GossipServer;
use crate::proto::event_store::client::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptionsServer;
use crate::proto::event_store::client::server_features::server_features_server::ServerFeaturesServer;
use crate::proto::event_store::client::streams::streams_server::StreamsServer;
use crate::proto::v2::streams_service_server::StreamsServiceServer;
use crate::sessions::SessionsService;
use crate::streams::StreamsService;

/// Bytes of one message of a client's: the largest append and what is around it.
const MESSAGE_BYTES_MAX: usize = PROTOCOL_BYTES_MAX + 4 * 1024 * 1024;
/// After the wish to stop, how long calls under way may go on.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves the log until `until` is done; then appends and reads under way are finished, and subscriptions end.
pub async fn serve(
    store: EventStore,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    serve_with(store, listener, None, until).await
}

/// The same, with TLS if there is a certificate.
pub async fn serve_with(
    store: EventStore,
    listener: TcpListener,
    tls: Option<FeedTls>,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    let stopping = until.boxed().shared();
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
    let gossip = GossipService { store: store.clone(), instance: new_id(), address };
    let sessions = StreamsServiceServer::new(SessionsService { store: store.clone() })
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let persistent =
        PersistentSubscriptionsServer::new(PersistentService::new(store.clone(), stopping.clone()));
    let streams = StreamsServer::new(StreamsService { store, stopping: stopping.clone() })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    // Without TCP_NODELAY each small call waits for the peer's delayed acknowledgement, 40 ms.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut server = Server::builder();
    if let Some(FeedTls { certificate, key }) = &tls {
        server = server
            .tls_config(ServerTlsConfig::new().identity(Identity::from_pem(certificate, key)))?;
    }
    let serving = server
        .add_service(streams)
        .add_service(sessions)
        .add_service(persistent)
        .add_service(ServerFeaturesServer::new(FeaturesService))
        .add_service(GossipServer::new(gossip))
        .serve_with_incoming_shutdown(incoming, stopping.clone());
    ending::serving(serving, stopping, DRAIN).await
}
