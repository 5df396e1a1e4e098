//! One consumer's call: events out, acknowledgements in.

use tokio::sync::{mpsc, oneshot};
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::consumer::Consumer;
use super::ended;
use super::group::Command;
use super::registry::Registry;
use super::request::key;
use crate::ending::Stopping;
use crate::ids::new_id;
use crate::message::{IdForm, read_id};
use crate::proto::event_store::client::Uuid as WireId;
use crate::proto::event_store::client::persistent_subscriptions::read_req::options::{
    StreamOption, uuid_option,
};
use crate::proto::event_store::client::persistent_subscriptions::read_req::{Content, Options};
use crate::proto::event_store::client::persistent_subscriptions::read_resp::{
    Content as Told, SubscriptionConfirmation,
};
use crate::proto::event_store::client::persistent_subscriptions::{ReadReq, ReadResp};
use crate::streams::{Answers, answer_until, send};

/// Events that one consumer may have at a time.
const SLOTS_MAX: i32 = 1_000;

pub(super) async fn read(
    registry: &Registry,
    mut request: Streaming<ReadReq>,
    stopping: Stopping,
) -> Result<Answers<ReadResp>, Status> {
    let first = request.message().await?.and_then(|it| it.content);
    let Some(Content::Options(options)) = first else {
        return Err(Status::invalid_argument("a consumer begins with its options"));
    };
    let Options { stream_option, group_name, buffer_size, uuid_option } = options;
    let stream = match stream_option {
        Some(StreamOption::StreamIdentifier(stream)) => Some(stream),
        Some(StreamOption::All(())) | None => None,
    };
    let key = key(stream, group_name)?;
    let ids = match uuid_option.and_then(|it| it.content) {
        Some(uuid_option::Content::Structured(())) => IdForm::Structured,
        Some(uuid_option::Content::String(())) | None => IdForm::Text,
    };
    let slots = usize::try_from(buffer_size.clamp(1, SLOTS_MAX)).unwrap_or(1);
    let commands = registry.at_work(&key).await?;
    // Room for every event on its way, the confirmation and the end.
    Ok(answer_until(stopping, slots + 2, move |to| async move {
        let id = new_id();
        let subscription_id = format!("{}::{}", key.source(), key.group);
        let confirmation = SubscriptionConfirmation { subscription_id };
        let confirmation = Told::SubscriptionConfirmation(confirmation);
        send(&to, ReadResp { content: Some(confirmation) }).await?;
        let consumer = Consumer { id, to: to.clone(), ids, slots, in_flight: 0, total: 0 };
        let (sender, answer) = oneshot::channel();
        commands.send(Command::Connect(consumer, sender)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())??;
        drop(to);
        let heard = hear(id, &commands, &mut request).await;
        // A group that ended has forgotten its consumers.
        commands.send(Command::Disconnect(id)).await.ok();
        heard
    }))
}

/// Passes on what the consumer says until it goes.
async fn hear(
    consumer: Uuid,
    commands: &mpsc::Sender<Command>,
    request: &mut Streaming<ReadReq>,
) -> Result<(), Status> {
    loop {
        let said = tokio::select! {
            said = request.message() => said?.and_then(|it| it.content),
            () = commands.closed() => return Ok(()),
        };
        let command = match said {
            None => return Ok(()),
            Some(Content::Options(_)) => {
                return Err(Status::invalid_argument("a consumer has options once"));
            }
            Some(Content::Ack(ack)) => Command::Ack(ids(ack.ids)?),
            Some(Content::Nack(nack)) => Command::Nack {
                action: nack.action(),
                ids: ids(nack.ids.clone())?,
                reason: nack.reason,
                consumer,
            },
        };
        if commands.send(command).await.is_err() {
            return Ok(());
        }
    }
}

fn ids(ids: Vec<WireId>) -> Result<Vec<Uuid>, Status> {
    ids.into_iter().map(|id| read_id(Some(id))).collect()
}
