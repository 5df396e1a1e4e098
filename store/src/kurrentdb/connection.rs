//! The way to the leader: one channel for everything, found anew when it leads nowhere.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keynest_eventstore_protocol::event_store::client::gossip::gossip_client::GossipClient;
use keynest_eventstore_protocol::event_store::client::gossip::member_info::VNodeState;
use keynest_eventstore_protocol::event_store::client::server_features::SupportedMethods;
use keynest_eventstore_protocol::event_store::client::server_features::server_features_client::ServerFeaturesClient;
use keynest_eventstore_protocol::event_store::client::streams::streams_client::StreamsClient;
use keynest_eventstore_protocol::v2::streams_service_client::StreamsServiceClient;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};

use super::KurrentError;
use super::address::KurrentAddress;
use crate::port::{APPEND_BYTES_MAX, READ_BYTES_MAX};

/// Bytes of one message: a whole append, a page, and what is around them.
const MESSAGE_BYTES_MAX: usize =
    2 * if APPEND_BYTES_MAX > READ_BYTES_MAX { APPEND_BYTES_MAX } else { READ_BYTES_MAX };
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Connection {
    address: KurrentAddress,
    tls: Option<ClientTlsConfig>,
    authorization: Option<AsciiMetadataValue>,
    channel: Mutex<Option<Channel>>,
}

impl Connection {
    pub(super) fn new(address: KurrentAddress) -> Result<Self, KurrentError> {
        let tls = address.is_tls.then(|| tls(&address)).transpose()?;
        let authorization = match &address.credentials {
            None => None,
            Some((user, password)) => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
                let mut value = AsciiMetadataValue::try_from(basic)
                    .map_err(|_| KurrentError::Setting("credentials are no header".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { address, tls, authorization, channel: Mutex::default() })
    }

    pub(super) fn deadline(&self) -> Duration {
        self.address.deadline
    }

    pub(super) async fn streams(&self) -> Result<StreamsClient<Channel>, Status> {
        let client = StreamsClient::new(self.channel().await?);
        Ok(client.max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    pub(super) async fn appends(&self) -> Result<StreamsServiceClient<Channel>, Status> {
        Ok(StreamsServiceClient::new(self.channel().await?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// What the server can do.
    pub(super) async fn features(&self) -> Result<SupportedMethods, Status> {
        let mut client = ServerFeaturesClient::new(self.channel().await?);
        let mut request = self.request(());
        request.set_timeout(self.address.deadline);
        Ok(client.get_supported_methods(request).await?.into_inner())
    }

    /// With who asks, for the leader alone.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let headers = request.metadata_mut();
        headers.insert("requires-leader", AsciiMetadataValue::from_static("true"));
        if let Some(authorization) = &self.authorization {
            headers.insert("authorization", authorization.clone());
        }
        request
    }

    /// After a failure: a channel connects anew by itself, but another member may lead now.
    pub(super) fn failed(&self, status: &Status) {
        let is_elsewhere = matches!(
            status.code(),
            Code::Unavailable | Code::Unknown | Code::NotFound | Code::DeadlineExceeded
        );
        if self.address.is_cluster && is_elsewhere {
            *self.kept() = None;
        }
    }

    async fn channel(&self) -> Result<Channel, Status> {
        let known = self.kept().clone();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let leader = match &self.address.hosts[..] {
            [only] if !self.address.is_cluster => only.clone(),
            seeds => self.leader(seeds).await?,
        };
        let channel = self.connect(&leader)?;
        Ok(self.kept().get_or_insert(channel).clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Channel>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks one member after the other who leads.
    async fn leader(&self, seeds: &[String]) -> Result<String, Status> {
        let mut last = Status::unavailable("no member of the cluster answers");
        for seed in seeds {
            let mut request = self.request(());
            request.metadata_mut().remove("requires-leader");
            request.set_timeout(self.address.gossip_timeout);
            match GossipClient::new(self.connect(seed)?).read(request).await {
                Ok(told) => {
                    let members = told.into_inner().members.into_iter();
                    let mut leaders =
                        members.filter(|it| it.is_alive && it.state() == VNodeState::Leader);
                    if let Some(place) = leaders.find_map(|it| it.http_end_point) {
                        let is_ipv6 = place.address.contains(':');
                        let name =
                            if is_ipv6 { format!("[{}]", place.address) } else { place.address };
                        return Ok(format!("{name}:{}", place.port));
                    }
                    last = Status::unavailable("the cluster has no leader");
                }
                Err(status) => last = status,
            }
        }
        Err(last)
    }

    fn connect(&self, host: &str) -> Result<Channel, Status> {
        let refused = |error: tonic::transport::Error| Status::from_error(Box::new(error));
        Ok(self.endpoint(host).map_err(refused)?.connect_lazy())
    }

    fn endpoint(&self, host: &str) -> Result<Endpoint, tonic::transport::Error> {
        // The official client keeps Nagle's algorithm, which costs 40 ms a call (FACTS 2).
        let mut endpoint = Endpoint::from_shared(self.address.url(host))?
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT);
        if let Some(interval) = self.address.keep_alive_interval {
            endpoint = endpoint
                .http2_keep_alive_interval(interval)
                .keep_alive_timeout(self.address.keep_alive_timeout)
                .keep_alive_while_idle(true);
        }
        match &self.tls {
            Some(tls) => endpoint.tls_config(tls.clone()),
            None => Ok(endpoint),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address.fmt(f)
    }
}

fn tls(address: &KurrentAddress) -> Result<ClientTlsConfig, KurrentError> {
    let read = |path: &std::path::Path| {
        std::fs::read(path)
            .map_err(|error| KurrentError::Setting(format!("read {}: {error}", path.display())))
    };
    let mut tls = match &address.ca_file {
        None => ClientTlsConfig::new().with_native_roots(),
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
    };
    if let (Some(certificate), Some(key)) = &address.identity {
        tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    Ok(tls)
}

/// A failure with its causes, for who only sees that something failed.
pub(super) fn cause(status: Status) -> Arc<dyn Error + Send + Sync> {
    Arc::new(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_waits_for_the_acknowledgement_of_the_last_one() {
        for address in ["kurrentdb://a?tls=false", "kurrentdb://a,b?tls=false"] {
            let connection = Connection::new(address.parse().unwrap()).unwrap();
            assert!(connection.endpoint("a:2113").unwrap().get_tcp_nodelay(), "{address}");
        }
    }
}
