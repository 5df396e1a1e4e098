//! The services of the feed: reads for those who are let in, refusals of everything else.

use std::sync::Arc;

use futures::stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use super::gate::{Call, Gate, Reader, denied};
use super::read::{AllRead, StreamRead};
use super::subscribe::{self, All};
use crate::proto::event_store::client::gossip::gossip_server::Gossip;
use crate::proto::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo, member_info};
use crate::proto::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::proto::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use crate::proto::event_store::client::streams::streams_server::Streams;
use crate::proto::event_store::client::streams::*;
use crate::streams::{Answers, From, answer, parse};

const PROTOCOL_VERSION: &str = crate::features::PROTOCOL_VERSION;

/// Appends, deletes, ends: nobody's through the feed.
pub(super) fn read_only() -> Status {
    denied("the event feed is read-only".to_owned())
}

pub(super) struct FeedService<G>(pub Arc<G>);

impl<G: Gate> FeedService<G> {
    async fn admit<T>(&self, request: Request<T>) -> Result<(Box<dyn Reader>, T), Status> {
        let peer = request.remote_addr();
        let (metadata, _, message) = request.into_parts();
        let call = Call { headers: metadata.into_headers(), peer };
        Ok((self.0.admit(call).await?, message))
    }
}

#[tonic::async_trait]
impl<G: Gate> Streams for FeedService<G> {
    type ReadStream = Answers<ReadResp>;
    type BatchAppendStream = Empty<Result<BatchAppendResp, Status>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let (mut reader, message) = self.admit(request).await?;
        let asked = parse(message)?;
        Ok(Response::new(answer(move |to| async move {
            let (reader, reading) = (&mut *reader, asked.reading);
            match (asked.from, asked.count) {
                (From::Stream { name, from }, Some(count)) => {
                    let is_backwards = asked.is_backwards;
                    let read = StreamRead { name, from, is_backwards, count, reading };
                    read.run(reader, &to).await
                }
                (From::All { from, filter }, Some(count)) => {
                    let is_backwards = asked.is_backwards;
                    AllRead { from, filter, is_backwards, count, reading }.run(reader, &to).await
                }
                (From::Stream { name, from }, None) => {
                    subscribe::stream(reader, &name, from, reading, &to).await
                }
                (From::All { from, filter }, None) => {
                    All::new(filter, reading).run(reader, from, &to).await
                }
            }
        })))
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        self.admit(request).await?;
        Err(read_only())
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        self.admit(request).await?;
        Err(read_only())
    }

    async fn tombstone(
        &self,
        request: Request<TombstoneReq>,
    ) -> Result<Response<TombstoneResp>, Status> {
        self.admit(request).await?;
        Err(read_only())
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        self.admit(request).await?;
        Err(read_only())
    }
}

/// What clients ask before they sign in: which calls there are.
pub(super) struct FeedFeatures;

#[tonic::async_trait]
impl ServerFeatures for FeedFeatures {
    async fn get_supported_methods(
        &self,
        _: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        // Appends are named so that clients send them, and hear why not.
        let method = |service: &str, method: &str| SupportedMethod {
            method_name: method.to_owned(),
            service_name: service.to_owned(),
            features: Vec::new(),
        };
        let streams = ["read", "append", "delete", "tombstone"];
        let mut methods: Vec<_> =
            streams.map(|it| method("event_store.client.streams.streams", it)).into();
        let sessions = "kurrentdb.protocol.v2.streams.streamsservice";
        methods.extend(["appendsession", "appendrecords"].map(|it| method(sessions, it)));
        methods.push(method("event_store.client.gossip.gossip", "read"));
        let features = "event_store.client.server_features.serverfeatures";
        methods.push(method(features, "getsupportedmethods"));
        Ok(Response::new(SupportedMethods {
            methods,
            event_store_server_version: PROTOCOL_VERSION.to_owned(),
        }))
    }
}

/// One member: whichever process the client reached.
pub(super) struct FeedGossip {
    pub address: std::net::SocketAddr,
}

#[tonic::async_trait]
impl Gossip for FeedGossip {
    async fn read(&self, _: Request<()>) -> Result<Response<ClusterInfo>, Status> {
        let member = MemberInfo {
            instance_id: crate::message::id(uuid::Uuid::nil(), crate::message::IdForm::Text),
            time_stamp: 0,
            state: member_info::VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint {
                address: self.address.ip().to_string(),
                port: u32::from(self.address.port()),
            }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
