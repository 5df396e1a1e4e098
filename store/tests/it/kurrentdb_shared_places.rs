//! A server that gives the events of one append one place in its file, as the face does not and a real one may: none of them is
//! read twice or passed over.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use keynest_eventstore_protocol::event_store::client::server_features::server_features_server::{
    ServerFeatures, ServerFeaturesServer,
};
use keynest_eventstore_protocol::event_store::client::server_features::{
    SupportedMethod, SupportedMethods,
};
use keynest_eventstore_protocol::event_store::client::streams::read_req::options::{
    CountOption, ReadDirection, StreamOption, all_options::AllOption,
};
use keynest_eventstore_protocol::event_store::client::streams::read_resp::read_event::RecordedEvent;
use keynest_eventstore_protocol::event_store::client::streams::read_resp::{
    Content, ReadEvent, StreamNotFound, SubscriptionConfirmation,
};
use keynest_eventstore_protocol::event_store::client::streams::streams_server::{
    Streams, StreamsServer,
};
use keynest_eventstore_protocol::event_store::client::streams::*;
use keynest_eventstore_protocol::event_store::client::uuid::Value;
use keynest_eventstore_protocol::event_store::client::{StreamIdentifier, Uuid as WireId};
use keynest_store::{EventStore, Position, Recorded, event_id};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use crate::face::{open, url_of};
use crate::given::*;

const PREFIX: &str = "shared";
/// Where appends stand in the file, and how many events each has.
const APPENDS: [(u64, u32); 4] = [(100, 3), (4_711, 1), (4_712, 2), (90_000, 5)];

/// A log that was written.
#[derive(Clone)]
struct Written(Vec<RecordedEvent>);

fn written() -> Written {
    let mut events = Vec::new();
    for (number, (place, of)) in (1..).zip(APPENDS) {
        let command = command(number);
        for index in 0..of {
            let told =
                format!(r#"{{"command":"{}","index":"{index}","version":"1"}}"#, command.get());
            let (revision, id) = (events.len() as u64, event_id(command, index).get());
            events.push(event(place, "shared/thing-a", revision, id, told));
        }
    }
    Written(events)
}

fn event(
    place: u64,
    stream: &str,
    stream_revision: u64,
    id: uuid::Uuid,
    told: String,
) -> RecordedEvent {
    let system = [("type", "thing.happened"), ("created", "17000000000000000")];
    RecordedEvent {
        id: Some(WireId { value: Some(Value::String(id.to_string())) }),
        stream_identifier: Some(StreamIdentifier { stream_name: stream.to_owned().into() }),
        stream_revision,
        prepare_position: place,
        commit_position: place,
        metadata: system.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        custom_metadata: told.into(),
        data: format!(r#"{{"incarnation":"{id}"}}"#).into(),
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn told(event: RecordedEvent) -> ReadResp {
    content(Content::Event(ReadEvent { event: Some(event), link: None, position: None }))
}

fn content(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}

#[tonic::async_trait]
impl Streams for Written {
    type ReadStream = Answers<ReadResp>;
    type BatchAppendStream = Answers<BatchAppendResp>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let asked = request.into_inner().options.unwrap();
        let is_backwards = asked.read_direction() == ReadDirection::Backwards;
        let all = match asked.stream_option.unwrap() {
            StreamOption::Stream(stream) => {
                let name = stream.stream_identifier.unwrap().stream_name;
                let answer = match &name[..] {
                    b"shared:log" => told(event(1, "shared:log", 0, command(99).get(), "".into())),
                    _ => content(Content::StreamNotFound(StreamNotFound::default())),
                };
                return Ok(Response::new(Box::pin(stream::iter([Ok(answer)]))));
            }
            StreamOption::All(all) => all.all_option.unwrap(),
        };
        let CountOption::Count(count) = asked.count_option.unwrap() else {
            let confirmed = content(Content::Confirmation(SubscriptionConfirmation::default()));
            let silence = stream::iter([Ok(confirmed)]).chain(stream::pending());
            return Ok(Response::new(Box::pin(silence)));
        };
        let is_asked_for = |it: &RecordedEvent| match (&all, is_backwards) {
            (AllOption::Position(at), false) => it.commit_position >= at.commit_position,
            (AllOption::Position(at), true) => it.commit_position < at.commit_position,
            (AllOption::Start(()), is_backwards) => !is_backwards,
            (AllOption::End(()), is_backwards) => is_backwards,
        };
        let mut events: Vec<RecordedEvent> =
            self.0.iter().filter(|it| is_asked_for(it)).cloned().collect();
        if is_backwards {
            events.reverse();
        }
        events.truncate(count as usize);
        Ok(Response::new(Box::pin(stream::iter(events).map(|event| Ok(told(event))))))
    }

    async fn append(
        &self,
        _: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        Err(Status::permission_denied("it was written"))
    }

    async fn delete(&self, _: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        Err(Status::permission_denied("it was written"))
    }

    async fn tombstone(&self, _: Request<TombstoneReq>) -> Result<Response<TombstoneResp>, Status> {
        Err(Status::permission_denied("it was written"))
    }

    async fn batch_append(
        &self,
        _: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        Err(Status::permission_denied("it was written"))
    }
}

#[tonic::async_trait]
impl ServerFeatures for Written {
    async fn get_supported_methods(
        &self,
        _: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let method = SupportedMethod {
            method_name: "appendrecords".to_owned(),
            service_name: "kurrentdb.protocol.v2.streams.streamsservice".to_owned(),
            features: Vec::new(),
        };
        let event_store_server_version = "26.1.0".to_owned();
        Ok(Response::new(SupportedMethods { methods: vec![method], event_store_server_version }))
    }
}

/// The log, and how it reads as a whole.
async fn log() -> (EventStore, Vec<Recorded>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap().port());
    let server = Server::builder()
        .add_service(StreamsServer::new(written()))
        .add_service(ServerFeaturesServer::new(written()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let store = open(&url, PREFIX.to_owned()).await;
    let all = all(&store).await;
    let revisions: Vec<u32> = all.iter().map(|event| event.revision.get()).collect();
    assert_eq!(revisions, (1..=11).collect::<Vec<u32>>());
    (store, all)
}

#[tokio::test]
async fn events_of_one_place_are_read_page_by_page() {
    let (store, all) = log().await;
    for size in 1..=all.len() {
        let (mut read, mut after) = (Vec::new(), Position::START);
        loop {
            let page = store.read_all(after, size).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= size);
            after = last.position;
            read.extend(page);
        }
        assert_eq!(read, all, "{size} at a time");
        let mut subscription = store.subscribe(Position::START);
        let mut followed = Vec::new();
        while followed.len() < all.len() {
            followed.extend(subscription.next_batch(size).await.unwrap());
        }
        assert_eq!(followed, all, "{size} at a time");
    }
}

#[tokio::test]
async fn events_of_one_place_are_told_apart() {
    let (store, all) = log().await;
    assert_eq!(store.head().await.unwrap(), all.last().unwrap().position);
    for (index, event) in all.iter().enumerate() {
        let at = event.position;
        assert_eq!(store.read_at(at).await.unwrap().as_ref(), Some(event));
        assert_eq!(store.read_all_from(at, 20).await.unwrap(), all[index..]);
        assert_eq!(store.read_all(at, 20).await.unwrap(), all[index + 1..]);
        let earlier: Vec<Recorded> = all[..index].iter().rev().cloned().collect();
        for limit in 1..=all.len() {
            let read = store.read_all_before(at, limit).await.unwrap();
            assert_eq!(read, earlier[..limit.min(index)], "{limit} before {index}");
        }
        let behind = store.count_between(at, all.last().unwrap().position).await.unwrap();
        assert_eq!(behind as usize, all.len() - index - 1);
    }
}

#[tokio::test]
async fn single_events_of_one_place_are_found() {
    let (store, all) = log().await;
    let positions: Vec<Position> = all.iter().rev().map(|event| event.position).collect();
    assert_eq!(store.read_these(&positions).await.unwrap(), all);
}
