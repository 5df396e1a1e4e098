//! What no official client sends, or shows: each is answered by the protocol's own code, and never ends the server.

use futures::StreamExt;
use std::time::Duration;

use futures::stream::{iter, pending};
use keynest_eventstore_server::proto::event_store::client as v1;
use keynest_eventstore_server::proto::v2;
use keynest_store::EventStore;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use v1::persistent_subscriptions::create_req;
use v1::persistent_subscriptions::persistent_subscriptions_client::PersistentSubscriptionsClient;
use v1::server_features::server_features_client::ServerFeaturesClient;
use v1::streams::append_req::options::ExpectedStreamRevision;
use v1::streams::batch_append_req::options::ExpectedStreamPosition;
use v1::streams::read_req::options::{
    AllOptions, CountOption, FilterOption, FilterOptions, StreamOption, StreamOptions,
    SubscriptionOptions, filter_options,
};
use v1::streams::read_resp::Content;
use v1::streams::streams_client::StreamsClient;
use v1::streams::{AppendReq, BatchAppendReq, ReadReq, append_req, batch_append_req, read_req};
use v2::streams_service_client::StreamsServiceClient;

use crate::server::Face;

async fn raw() -> (Face, Channel) {
    let never = std::future::pending();
    let (face, address, _) = Face::until(EventStore::memory(), never).await;
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    (face, endpoint.initial_stream_window_size(WINDOW).connect_lazy())
}

fn stream(name: &'static [u8]) -> Option<v1::StreamIdentifier> {
    Some(v1::StreamIdentifier { stream_name: name.into() })
}

fn id(text: &str) -> Option<v1::Uuid> {
    Some(v1::Uuid { value: Some(v1::uuid::Value::String(text.to_owned())) })
}

/// Bytes that are sent to a reader before it has taken any.
const WINDOW: u32 = 65_535;
const ID: &str = "00000000-0000-0000-0000-000000000007";

fn read_options() -> read_req::Options {
    read_req::Options {
        stream_option: Some(StreamOption::All(AllOptions { all_option: None })),
        count_option: Some(CountOption::Count(1)),
        ..Default::default()
    }
}

#[tokio::test]
async fn reads_that_say_too_little_or_too_much_are_refused() {
    let (_, channel) = raw().await;
    let following = Some(CountOption::Subscription(SubscriptionOptions {}));
    let of = |name| {
        Some(StreamOption::Stream(StreamOptions {
            stream_identifier: stream(name),
            revision_option: None,
        }))
    };
    let filter =
        |by| Some(FilterOption::Filter(FilterOptions { filter: by, ..Default::default() }));
    let pattern = |regex: &str| {
        let regex = regex.to_owned();
        Some(filter_options::Filter::EventType(filter_options::Expression {
            regex,
            prefix: Vec::new(),
        }))
    };
    for (what, options) in [
        ("no options", None),
        ("no count", Some(read_req::Options { count_option: None, ..read_options() })),
        ("of nothing", Some(read_req::Options { stream_option: None, ..read_options() })),
        (
            "follow backwards",
            Some(read_req::Options {
                count_option: following,
                read_direction: 1,
                ..read_options()
            }),
        ),
        (
            "filter on a stream",
            Some(read_req::Options {
                stream_option: of(b"a"),
                filter_option: filter(pattern("x")),
                ..read_options()
            }),
        ),
        (
            "filter on nothing",
            Some(read_req::Options { filter_option: filter(None), ..read_options() }),
        ),
        (
            "pattern",
            Some(read_req::Options { filter_option: filter(pattern("(")), ..read_options() }),
        ),
        ("no name", Some(read_req::Options { stream_option: of(b""), ..read_options() })),
        ("not UTF-8", Some(read_req::Options { stream_option: of(b"\xff"), ..read_options() })),
    ] {
        let refused = StreamsClient::new(channel.clone()).read(ReadReq { options }).await.err();
        assert_eq!(refused.map(|it| it.code()), Some(Code::InvalidArgument), "{what}");
    }
}

fn append_options(expected: Option<ExpectedStreamRevision>) -> AppendReq {
    let options =
        append_req::Options { stream_identifier: stream(b"a"), expected_stream_revision: expected };
    AppendReq { content: Some(append_req::Content::Options(options)) }
}

fn proposed(event_id: Option<v1::Uuid>, kind: &str) -> AppendReq {
    let event = append_req::ProposedMessage {
        id: event_id,
        metadata: [("type".to_owned(), kind.to_owned())].into(),
        ..Default::default()
    };
    AppendReq { content: Some(append_req::Content::ProposedMessage(event)) }
}

#[tokio::test]
async fn appends_that_say_too_little_are_refused_and_write_nothing() {
    let (face, channel) = raw().await;
    let any = || append_options(Some(ExpectedStreamRevision::Any(())));
    for (what, parts) in [
        ("nothing", vec![]),
        ("an event first", vec![proposed(id(ID), "x")]),
        ("options twice", vec![any(), any()]),
        ("expects nothing", vec![append_options(None), proposed(id(ID), "x")]),
        ("no id", vec![any(), proposed(None, "x")]),
        ("an id that is none", vec![any(), proposed(id("seven"), "x")]),
        ("no type", vec![any(), proposed(id(ID), "")]),
        ("an empty part", vec![any(), AppendReq { content: None }]),
    ] {
        let refused = StreamsClient::new(channel.clone()).append(iter(parts)).await.err();
        assert_eq!(refused.map(|it| it.code()), Some(Code::InvalidArgument), "{what}");
    }
    let mut sessions = StreamsServiceClient::new(channel);
    let record = |kind: &str, id: &str| v2::AppendRecord {
        record_id: Some(id.to_owned()),
        schema: Some(v2::SchemaInfo { name: kind.to_owned(), ..Default::default() }),
        stream: "a".to_owned(),
        ..Default::default()
    };
    let part = |expected_revision, records| v2::AppendRequest {
        stream: "a".to_owned(),
        records,
        expected_revision,
    };
    for (what, code, parts) in [
        ("nothing", Code::FailedPrecondition, vec![]),
        ("no records", Code::InvalidArgument, vec![part(None, vec![])]),
        ("no schema", Code::InvalidArgument, vec![part(None, vec![record("", ID)])]),
        ("an id that is none", Code::InvalidArgument, vec![part(None, vec![record("x", "7")])]),
        ("no revision", Code::InvalidArgument, vec![part(Some(-3), vec![record("x", ID)])]),
        (
            "a stream twice",
            Code::Aborted,
            vec![part(None, vec![record("x", ID)]), part(None, vec![record("y", ID)])],
        ),
    ] {
        let refused = sessions.append_session(iter(parts)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{what}: {refused}");
        assert_eq!(refused.details().is_empty(), code != Code::Aborted, "typed details: {what}");
    }
    for (what, request) in [
        ("no records", v2::AppendRecordsRequest::default()),
        (
            "a check of nothing",
            v2::AppendRecordsRequest {
                records: vec![record("x", ID)],
                checks: vec![v2::ConsistencyCheck { r#type: None }],
            },
        ),
    ] {
        let refused = sessions.append_records(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{what}: {refused}");
    }
    assert_eq!(face.store.head().await.unwrap().to_stored(), 0);
}

#[tokio::test]
async fn appends_that_are_begun_and_never_finished_are_limited() {
    let (_, channel) = raw().await;
    let begun = |number: u128| BatchAppendReq {
        correlation_id: id(&uuid::Uuid::from_u128(number).to_string()),
        options: Some(batch_append_req::Options {
            stream_identifier: stream(b"a"),
            expected_stream_position: Some(ExpectedStreamPosition::Any(())),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut client = StreamsClient::new(channel);
    let parts = iter((1..=65).map(begun)).chain(pending());
    let refused = client.batch_append(parts).await.unwrap().into_inner().message().await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    let unknown = BatchAppendReq { options: None, ..begun(1) };
    let refused = client.batch_append(iter([unknown]).chain(pending())).await.unwrap();
    assert_eq!(refused.into_inner().message().await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn groups_that_cannot_work_are_not_made() {
    let (_, channel) = raw().await;
    let mut client = PersistentSubscriptionsClient::new(channel);
    let good = || create_req::Settings {
        live_buffer_size: 2,
        read_batch_size: 1,
        history_buffer_size: 2,
        consumer_strategy: "RoundRobin".to_owned(),
        ..Default::default()
    };
    let mut create = async |group: &str, settings: Option<create_req::Settings>| {
        let options = create_req::Options {
            group_name: group.to_owned(),
            settings,
            stream_option: Some(create_req::options::StreamOption::All(Default::default())),
            ..Default::default()
        };
        let request = v1::persistent_subscriptions::CreateReq { options: Some(options) };
        client.create(request).await.map_err(|refused: Status| refused.code())
    };
    let long = "g".repeat(200);
    for (group, settings) in [
        ("", Some(good())),
        (&*long, Some(good())),
        ("group", None),
        ("group", Some(create_req::Settings { max_retry_count: -1, ..good() })),
        ("group", Some(create_req::Settings { live_buffer_size: 0, ..good() })),
        ("group", Some(create_req::Settings { read_batch_size: 2, ..good() })),
        ("group", Some(create_req::Settings { consumer_strategy: "Luck".to_owned(), ..good() })),
    ] {
        let told = format!("{group} {settings:?}");
        assert_eq!(create(group, settings).await.err(), Some(Code::InvalidArgument), "{told}");
    }
    assert!(create("group", Some(good())).await.is_ok());
    assert_eq!(create("group", Some(good())).await.err(), Some(Code::AlreadyExists));
}

#[tokio::test]
async fn clients_are_told_what_there_is() {
    let (_, channel) = raw().await;
    let told = ServerFeaturesClient::new(channel).get_supported_methods(()).await.unwrap();
    let told = told.into_inner();
    assert_eq!(told.event_store_server_version, "26.1.0");
    let mut found: Vec<String> = told
        .methods
        .iter()
        .map(|it| {
            format!(
                "{}/{} {:?}",
                it.service_name.rsplit('.').next().unwrap(),
                it.method_name,
                it.features
            )
        })
        .collect();
    found.sort();
    let groups = ["create", "delete", "getinfo", "list", "read", "replayparked"];
    let groups = groups.map(|it| format!("persistentsubscriptions/{it} [\"stream\", \"all\"]"));
    let mut expected = vec!["gossip/read []".to_owned()];
    expected.extend(groups);
    expected.extend(
        [
            "persistentsubscriptions/restartsubsystem []",
            "persistentsubscriptions/update [\"stream\", \"all\"]",
            "serverfeatures/getsupportedmethods []",
            "streams/append []",
            "streams/batchappend [\"deadline\"]",
            "streams/delete []",
            "streams/read []",
            "streams/tombstone []",
            "streamsservice/appendrecords []",
            "streamsservice/appendsession []",
        ]
        .map(str::to_owned),
    );
    assert_eq!(found, expected);
}

/// More than goes on its way to a reader that takes nothing.
const LARGE: usize = WINDOW as usize + 5_000;

async fn append_large(face: &Face, stream: &str, events: usize) {
    for _ in 0..events {
        let event = kurrentdb::EventData::binary("large", vec![7; LARGE].into());
        face.append(stream, kurrentdb::StreamState::Any, vec![event]).await.unwrap();
    }
}

/// With so many events the server waits for its reader before the last of them, behind it, and on the way to them.
#[tokio::test]
async fn a_slow_reader_misses_nothing_and_hears_nothing_twice() {
    let (face, channel) = raw().await;
    for events in [62, 63, 64, 65, 66, 67, 100] {
        let stream = format!("slow{events}");
        append_large(&face, &stream, events).await;
        let stream_identifier = Some(v1::StreamIdentifier { stream_name: stream.clone().into() });
        let of = StreamOptions { stream_identifier, revision_option: None };
        let options = Some(read_req::Options {
            stream_option: Some(StreamOption::Stream(of)),
            count_option: Some(CountOption::Subscription(SubscriptionOptions {})),
            ..Default::default()
        });
        let mut client = StreamsClient::new(channel.clone());
        let mut slow = client.read(ReadReq { options }).await.unwrap().into_inner();
        append_large(&face, "others", 20).await;
        append_large(&face, &stream, 1).await;
        let mut expected = 0;
        let told = async {
            while expected < events + 2 {
                let answer = slow.message().await.unwrap().unwrap().content;
                if let Some(Content::Event(told)) = answer {
                    assert_eq!(told.event.unwrap().stream_revision, expected as u64);
                    expected += 1;
                    if expected == events + 1 {
                        append_large(&face, &stream, 1).await;
                    }
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    }
}

/// A client with several addresses asks each for the members of the cluster, and goes where they say.
#[tokio::test]
async fn a_client_of_a_cluster_finds_its_one_member() {
    let never = std::future::pending();
    let (face, address, _) = Face::until(EventStore::memory(), never).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("kurrentdb://{nobody},{address}?tls=false&discoveryInterval=1");
    let client = kurrentdb::Client::new(url.parse().unwrap()).unwrap();
    let event = crate::server::event("thing.happened");
    client.append_to_stream("a", &Default::default(), event).await.unwrap();
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 1);
}
