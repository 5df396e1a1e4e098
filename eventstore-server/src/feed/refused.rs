//! What the feed does not do for anybody: groups keep their places in the log, and the second version of the protocol appends.

use futures::stream::Empty;
use tonic::{Request, Response, Status, Streaming};

use super::services::read_only;
use crate::proto::event_store::client::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptions;
use crate::proto::event_store::client::persistent_subscriptions::*;
use crate::proto::v2::streams_service_server::StreamsService;
use crate::proto::v2::{
    AppendRecordsRequest, AppendRecordsResponse, AppendRequest, AppendSessionResponse,
};

/// Says so to everybody, before looking at anything.
pub(super) struct Refused;

#[tonic::async_trait]
impl PersistentSubscriptions for Refused {
    type ReadStream = Empty<Result<ReadResp, Status>>;

    async fn create(&self, _: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        Err(read_only())
    }

    async fn update(&self, _: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        Err(read_only())
    }

    async fn delete(&self, _: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(read_only())
    }

    async fn read(
        &self,
        _: Request<Streaming<ReadReq>>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        Err(read_only())
    }

    async fn get_info(&self, _: Request<GetInfoReq>) -> Result<Response<GetInfoResp>, Status> {
        Err(read_only())
    }

    async fn replay_parked(
        &self,
        _: Request<ReplayParkedReq>,
    ) -> Result<Response<ReplayParkedResp>, Status> {
        Err(read_only())
    }

    async fn list(&self, _: Request<ListReq>) -> Result<Response<ListResp>, Status> {
        Err(read_only())
    }

    async fn restart_subsystem(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Err(read_only())
    }
}

#[tonic::async_trait]
impl StreamsService for Refused {
    async fn append_session(
        &self,
        _: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<AppendSessionResponse>, Status> {
        Err(read_only())
    }

    async fn append_records(
        &self,
        _: Request<AppendRecordsRequest>,
    ) -> Result<Response<AppendRecordsResponse>, Status> {
        Err(read_only())
    }
}
