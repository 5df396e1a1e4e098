//! The service that appends and reads.

mod append;
mod batch_append;
mod delete;
mod link;
mod read;
mod request;
mod subscribe;
mod told;

use std::pin::Pin;

use futures::Stream;
use keynest_store::EventStore;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::ending::{Stopping, come_back, never};
use crate::proto::event_store::client::streams::streams_server::Streams;
use crate::proto::event_store::client::streams::*;

/// Messages that wait for a slow reader; then reading waits.
const ANSWERS_WAITING_MAX: usize = 64;

pub(crate) use link::told;
pub(crate) use read::content;
pub(crate) use request::{From, Place, Reading, parse};
pub(crate) use told::{caught_up_with_all, caught_up_with_stream, checkpoint, confirmation};

pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Where answers go. An error means that nobody listens any more.
pub(crate) type Sender<T> = mpsc::Sender<Result<T, Status>>;

pub(crate) struct StreamsService {
    pub store: EventStore,
    pub stopping: Stopping,
}

/// Runs `work` until it is done or nobody listens; its failure is the last answer.
pub(crate) fn answer<T: Send + 'static, W>(work: impl FnOnce(Sender<T>) -> W) -> Answers<T>
where
    W: Future<Output = Result<(), Status>> + Send + 'static,
{
    answer_until(never(), ANSWERS_WAITING_MAX, work)
}

/// The same until the server stops, with room for so many answers.
pub(crate) fn answer_until<T: Send + 'static, W>(
    stopping: Stopping,
    answers: usize,
    work: impl FnOnce(Sender<T>) -> W,
) -> Answers<T>
where
    W: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(answers);
    let working = work(sender.clone());
    tokio::spawn(async move {
        let done = tokio::select! {
            done = working => done,
            () = sender.closed() => Ok(()),
            () = stopping => Err(come_back()),
        };
        if let Err(status) = done {
            // Whoever has gone need not hear it.
            sender.send(Err(status)).await.ok();
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}

/// Sends one answer; ends the work when nobody listens.
pub(crate) async fn send<T>(sender: &Sender<T>, answer: T) -> Result<(), Status> {
    sender.send(Ok(answer)).await.map_err(|_| Status::cancelled("nobody listens"))
}

#[tonic::async_trait]
impl Streams for StreamsService {
    type ReadStream = Answers<ReadResp>;
    type BatchAppendStream = Answers<BatchAppendResp>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let asked = request::parse(request.into_inner())?;
        Ok(Response::new(read::read(self.store.clone(), asked, self.stopping.clone()).await?))
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        append::append(&self.store, request.into_inner()).await.map(Response::new)
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        delete::delete(&self.store, request.into_inner()).await.map(Response::new)
    }

    async fn tombstone(
        &self,
        request: Request<TombstoneReq>,
    ) -> Result<Response<TombstoneResp>, Status> {
        delete::tombstone(&self.store, request.into_inner()).await.map(Response::new)
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        let (store, stopping) = (self.store.clone(), self.stopping.clone());
        let answers = batch_append::batch_append(store, request.into_inner(), stopping);
        Ok(Response::new(answers))
    }
}
