//! The end of the server: what was begun is finished, and who follows is told to come back.

use std::pin::pin;

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use keynest_eventstore_server::proto::event_store::client::streams::AppendReq;
use keynest_eventstore_server::proto::event_store::client::streams::append_req::{
    self, Content, options::ExpectedStreamRevision,
};
use keynest_eventstore_server::proto::event_store::client::streams::append_resp::Result as Outcome;
use keynest_eventstore_server::proto::event_store::client::streams::streams_client::StreamsClient;
use keynest_eventstore_server::proto::event_store::client::uuid::Value;
use keynest_eventstore_server::proto::event_store::client::{StreamIdentifier, Uuid};
use keynest_store::EventStore;
use kurrentdb::SubscriptionEvent;
use tonic::Code;
use tonic::transport::Endpoint;

use crate::server::Face;

fn options() -> AppendReq {
    let options = append_req::Options {
        stream_identifier: Some(StreamIdentifier { stream_name: "late".into() }),
        expected_stream_revision: Some(ExpectedStreamRevision::NoStream(())),
    };
    AppendReq { content: Some(Content::Options(options)) }
}

fn event() -> AppendReq {
    let metadata = [("type", "came"), ("content-type", "application/json")];
    let event = append_req::ProposedMessage {
        id: Some(Uuid { value: Some(Value::String(uuid::Uuid::from_u128(5).to_string())) }),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        custom_metadata: "".into(),
        data: "{}".into(),
    };
    AppendReq { content: Some(Content::ProposedMessage(event)) }
}

#[tokio::test]
async fn what_was_begun_is_finished_and_followers_are_sent_away() {
    crate::ends(begun_and_stopped()).await;
}

async fn begun_and_stopped() {
    let (stop, stopped) = oneshot::channel();
    let until = async { stopped.await.unwrap() };
    let (face, address, served) = Face::until(EventStore::memory(), until).await;
    let client = &face.client;
    let mut following = client.subscribe_to_stream("a", &Default::default()).await;
    while !matches!(
        following.next_subscription_event().await.unwrap(),
        SubscriptionEvent::CaughtUp(_)
    ) {}
    client.create_persistent_subscription("a", "group", &Default::default()).await.unwrap();
    let defaults = Default::default();
    let consuming = client.subscribe_to_persistent_subscription("a", "group", &defaults);
    let mut consumer = consuming.await.unwrap();

    let channel = Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy();
    let (mut appends, mut batches) =
        (StreamsClient::new(channel.clone()), StreamsClient::new(channel));
    let (parts, sent) = mpsc::unbounded();
    parts.unbounded_send(options()).unwrap();
    let mut appending = pin!(appends.append(sent));
    // One connection carries both, the append first; whoever is answered the second has had the first arrive.
    let batching = pin!(batches.batch_append(futures::stream::pending()));
    let Either::Right((batch, _)) = select(appending.as_mut(), batching).await else {
        panic!("an append was answered before its end")
    };
    stop.send(()).unwrap();
    let ended = batch.unwrap().into_inner().message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable, "{ended}");
    let ended = following.next_subscription_event().await.unwrap_err();
    assert!(format!("{ended:?}").contains("come back"), "{ended:?}");
    let ended = consumer.next().await.unwrap_err();
    assert!(format!("{ended:?}").contains("come back"), "{ended:?}");

    assert!(!served.is_finished(), "an append is under way");
    parts.unbounded_send(event()).unwrap();
    drop(parts);
    let appended = appending.await.unwrap().into_inner().result;
    assert!(matches!(appended, Some(Outcome::Success(_))), "{appended:?}");
    served.await.unwrap();
    assert_eq!(face.store.head().await.unwrap().to_stored(), 2, "the group and the append");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
