//! The members of the cluster: this one.

use std::net::SocketAddr;

use keynest_store::EventStore;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::message::{IdForm, id};
use crate::proto::event_store::client::gossip::gossip_server::Gossip;
use crate::proto::event_store::client::gossip::member_info::VNodeState;
use crate::proto::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use crate::status::unreadable;

pub(crate) struct GossipService {
    pub store: EventStore,
    pub instance: Uuid,
    /// Where clients reach it.
    pub address: SocketAddr,
}

#[tonic::async_trait]
impl Gossip for GossipService {
    async fn read(&self, _: Request<()>) -> Result<Response<ClusterInfo>, Status> {
        let now = self.store.clock().await.map_err(unreadable)?;
        let member = MemberInfo {
            instance_id: id(self.instance, IdForm::Text),
            time_stamp: now.micros() * 10,
            state: VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint {
                address: self.address.ip().to_string(),
                port: u32::from(self.address.port()),
            }),
        };
        Ok(Response::new(ClusterInfo { members: vec![member] }))
    }
}
