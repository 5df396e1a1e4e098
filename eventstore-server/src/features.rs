//! What this server can do, by which clients choose their calls.

use tonic::{Request, Response, Status};

use crate::proto::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::proto::event_store::client::server_features::{SupportedMethod, SupportedMethods};

/// The version of the server whose protocol this is; clients compare it.
pub(crate) const PROTOCOL_VERSION: &str = "26.1.0";

/// A service, some of its methods, and what each of these can do beside.
const METHODS: &[(&str, &[&str], &[&str])] = &[
    ("event_store.client.streams.streams", &["read", "append", "delete", "tombstone"], &[]),
    ("event_store.client.streams.streams", &["batchappend"], &["deadline"]),
    ("kurrentdb.protocol.v2.streams.streamsservice", &["appendsession", "appendrecords"], &[]),
    (
        "event_store.client.persistent_subscriptions.persistentsubscriptions",
        &["create", "update", "delete", "read", "getinfo", "replayparked", "list"],
        &["stream", "all"],
    ),
    (
        "event_store.client.persistent_subscriptions.persistentsubscriptions",
        &["restartsubsystem"],
        &[],
    ),
    ("event_store.client.gossip.gossip", &["read"], &[]),
    ("event_store.client.server_features.serverfeatures", &["getsupportedmethods"], &[]),
];

pub(crate) struct FeaturesService;

#[tonic::async_trait]
impl ServerFeatures for FeaturesService {
    async fn get_supported_methods(
        &self,
        _: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let methods = METHODS.iter().flat_map(|(service, methods, features)| {
            methods.iter().map(|method| SupportedMethod {
                method_name: (*method).to_owned(),
                service_name: (*service).to_owned(),
                features: features.iter().map(|it| (*it).to_owned()).collect(),
            })
        });
        Ok(Response::new(SupportedMethods {
            methods: methods.collect(),
            event_store_server_version: PROTOCOL_VERSION.to_owned(),
        }))
    }
}
