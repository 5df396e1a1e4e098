//! The service of persistent subscriptions: groups whose consumers share events out and acknowledge them.

mod config;
mod consumer;
mod feed;
mod group;
mod info;
mod read;
mod records;
mod registry;
mod request;

use std::sync::Arc;

use keynest_store::EventStore;
use tokio::sync::oneshot;
use tonic::{Request, Response, Status, Streaming};

use self::config::GroupKey;
use self::group::Command;
use self::info::info;
use self::registry::Registry;
use crate::ending::Stopping;
use crate::proto::event_store::client::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptions;
use crate::proto::event_store::client::persistent_subscriptions::*;
use crate::streams::Answers;

#[derive(Clone)]
pub(crate) struct PersistentService {
    store: EventStore,
    registry: Arc<Registry>,
    stopping: Stopping,
}

impl PersistentService {
    pub(crate) fn new(store: EventStore, stopping: Stopping) -> Self {
        let registry = Arc::new(Registry::new(store.clone()));
        Self { store, registry, stopping }
    }

    async fn told(
        &self,
        is_wanted: impl Fn(&GroupKey) -> bool,
    ) -> Result<Vec<SubscriptionInfo>, Status> {
        let mut told = Vec::new();
        for (key, config) in self.registry.all().await? {
            if is_wanted(&key) {
                told.push(info(&self.store, &self.registry, &key, config).await?);
            }
        }
        Ok(told)
    }
}

#[tonic::async_trait]
impl PersistentSubscriptions for PersistentService {
    type ReadStream = Answers<ReadResp>;

    async fn create(&self, request: Request<CreateReq>) -> Result<Response<CreateResp>, Status> {
        let (key, config) = request::create(&self.store, request.into_inner()).await?;
        self.registry.create(key, config).await?;
        Ok(Response::new(CreateResp {}))
    }

    async fn update(&self, request: Request<UpdateReq>) -> Result<Response<UpdateResp>, Status> {
        let (key, change) = request::update(&self.store, request.into_inner()).await?;
        self.registry.update(&key, |config| change.apply(config)).await?;
        Ok(Response::new(UpdateResp {}))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        use delete_req::options::StreamOption;
        let options = request.into_inner().options.unwrap_or_default();
        let stream = match options.stream_option {
            Some(StreamOption::StreamIdentifier(stream)) => Some(stream),
            Some(StreamOption::All(())) | None => None,
        };
        self.registry.delete(&request::key(stream, options.group_name)?).await?;
        Ok(Response::new(DeleteResp {}))
    }

    async fn read(
        &self,
        request: Request<Streaming<ReadReq>>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        let stopping = self.stopping.clone();
        read::read(&self.registry, request.into_inner(), stopping).await.map(Response::new)
    }

    async fn get_info(
        &self,
        request: Request<GetInfoReq>,
    ) -> Result<Response<GetInfoResp>, Status> {
        use get_info_req::options::StreamOption;
        let options = request.into_inner().options.unwrap_or_default();
        let stream = match options.stream_option {
            Some(StreamOption::StreamIdentifier(stream)) => Some(stream),
            Some(StreamOption::All(())) | None => None,
        };
        let key = request::key(stream, options.group_name)?;
        let config = self.registry.find(&key).await?;
        let told = info(&self.store, &self.registry, &key, config).await?;
        Ok(Response::new(GetInfoResp { subscription_info: Some(told) }))
    }

    async fn replay_parked(
        &self,
        request: Request<ReplayParkedReq>,
    ) -> Result<Response<ReplayParkedResp>, Status> {
        use replay_parked_req::options::{StopAtOption, StreamOption};
        let options = request.into_inner().options.unwrap_or_default();
        let stream = match options.stream_option {
            Some(StreamOption::StreamIdentifier(stream)) => Some(stream),
            Some(StreamOption::All(())) | None => None,
        };
        let until = match options.stop_at_option {
            Some(StopAtOption::StopAt(most)) => u64::try_from(most).ok(),
            Some(StopAtOption::NoLimit(())) | None => None,
        };
        let key = request::key(stream, options.group_name)?;
        let commands = self.registry.at_work(&key).await?;
        let (done, replayed) = oneshot::channel();
        commands.send(Command::Replay { until, done }).await.map_err(|_| ended())?;
        replayed.await.map_err(|_| ended())??;
        Ok(Response::new(ReplayParkedResp {}))
    }

    async fn list(&self, request: Request<ListReq>) -> Result<Response<ListResp>, Status> {
        use list_req::options::ListOption;
        use list_req::stream_option::StreamOption;
        let options = request.into_inner().options.unwrap_or_default();
        let subscriptions = match options.list_option {
            Some(ListOption::ListAllSubscriptions(())) | None => self.told(|_| true).await?,
            Some(ListOption::ListForStream(one)) => {
                let stream = match one.stream_option {
                    Some(StreamOption::Stream(stream)) => Some(stream),
                    Some(StreamOption::All(())) | None => None,
                };
                let wanted = request::key(stream, "any".to_owned())?.stream;
                let told = self.told(|key| key.stream == wanted).await?;
                if told.is_empty() {
                    return Err(Status::not_found("no subscription group follows this stream"));
                }
                told
            }
        };
        Ok(Response::new(ListResp { subscriptions }))
    }

    /// Groups end, with their consumers; the next call begins them from their checkpoints.
    async fn restart_subsystem(&self, _: Request<()>) -> Result<Response<()>, Status> {
        self.registry.restart().await;
        Ok(Response::new(()))
    }
}

/// Between looking for a group and asking it, it ended.
fn ended() -> Status {
    Status::cancelled("the subscription group was dropped")
}
