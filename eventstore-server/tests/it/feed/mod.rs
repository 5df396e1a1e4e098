//! The read-only feed as the official Rust client sees it, in front of a log whose events have owners.

mod limits;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use keynest_domain::{StreamName, Timestamp};
use keynest_eventstore_server::{Call, FeedOptions, Gate, Part, Reader, Refusal, Told, serve_feed};
use keynest_store::{Position, Revision};
use kurrentdb::{
    Client, Error, Position as WirePosition, ReadAllOptions, ReadStreamOptions, StreamPosition,
    SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::server::{collect, event, install_provider, revisions};

/// Owner and stream of each event, in the order of the log.
const LOG: [(&str, &str); 8] = [
    ("ann", "a"),
    ("bob", "b"),
    ("ann", "a"),
    ("bob", "b"),
    ("bob", "b"),
    ("ann", "c"),
    ("ann", "a"),
    ("bob", "b"),
];

#[derive(Clone)]
struct Shelf(Arc<watch::Sender<usize>>);

struct OfOne(Shelf, &'static str);

#[async_trait::async_trait]
impl Gate for Shelf {
    async fn admit(&self, call: Call) -> Result<Box<dyn Reader>, Refusal> {
        // Basic credentials of `ann:secret` and `bob:secret`.
        match call.headers.get("authorization").map(|it| it.as_bytes()) {
            Some(b"Basic YW5uOnNlY3JldA==") => Ok(Box::new(OfOne(self.clone(), "ann"))),
            Some(b"Basic Ym9iOnNlY3JldA==") => Ok(Box::new(OfOne(self.clone(), "bob"))),
            Some(_) | None => Err(Refusal::NotSignedIn("who".to_owned())),
        }
    }
}

impl OfOne {
    /// What there is of this owner's, with its position in the log.
    fn events(&self) -> Vec<(Position, Told)> {
        let mut revisions = std::collections::HashMap::new();
        let known = *self.0.0.borrow();
        let told = |(index, (owner, stream)): (usize, &(&'static str, &'static str))| {
            let revision = revisions.entry(*stream).or_insert(0);
            *revision += 1;
            let told = Told {
                id: Uuid::from_u128(index as u128 + 1),
                stream: (*stream).to_owned(),
                revision: *revision - 1,
                place: place(index),
                kind: format!("{stream}.happened"),
                metadata: Bytes::from_static(b"{}"),
                data: Bytes::from_static(b"{}"),
                recorded_at: Timestamp::from_micros(0),
            };
            (*owner == self.1).then_some((Position::from_stored(index as u64 + 1), told))
        };
        LOG.iter().take(known).enumerate().filter_map(told).collect()
    }
}

fn place(index: usize) -> u64 {
    1_000 * (index as u64 + 1)
}

#[async_trait::async_trait]
impl Reader for OfOne {
    async fn before(&self, place: u64) -> Result<Position, Refusal> {
        Ok(Position::from_stored(place.div_ceil(1_000).saturating_sub(1)))
    }

    async fn part(&mut self, after: Position, limit: u32) -> Result<Part, Refusal> {
        let mut found = self.events();
        found.retain(|(position, _)| *position > after);
        let is_end = found.len() <= limit as usize;
        found.truncate(limit as usize);
        let until = found.last().map_or(after, |(position, _)| *position);
        Ok(Part { events: found.into_iter().map(|it| it.1).collect(), until, is_end })
    }

    async fn part_before(&mut self, before: Position, limit: u32) -> Result<Part, Refusal> {
        let mut found = self.events();
        found.retain(|(position, _)| *position < before);
        found.reverse();
        let is_end = found.len() <= limit as usize;
        found.truncate(limit as usize);
        let until = found.last().map_or(Position::START, |(position, _)| *position);
        Ok(Part { events: found.into_iter().map(|it| it.1).collect(), until, is_end })
    }

    async fn stream_events(&self, stream: &StreamName) -> Result<Option<u32>, Refusal> {
        let events = self.events();
        let count = events.iter().filter(|(_, told)| told.stream == stream.as_str()).count();
        Ok((count > 0).then_some(count as u32))
    }

    async fn stream_part(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<Told>, Revision), Refusal> {
        let events = self.events().into_iter().map(|it| it.1);
        let found: Vec<Told> = events
            .filter(|told| told.stream == stream.as_str() && told.revision >= after.get().into())
            .take(limit)
            .collect();
        let until = after.plus(found.len() as u32);
        Ok((found, until))
    }

    async fn wait(&mut self) -> Result<bool, Refusal> {
        let mut known = self.0.0.subscribe();
        known.changed().await.unwrap();
        match *known.borrow() {
            // As if the token had been ended.
            0 => Err(Refusal::NotSignedIn("ended".to_owned())),
            _ => Ok(true),
        }
    }
}

struct Feed {
    shelf: Shelf,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Feed {
    async fn start(known: usize, change: impl FnOnce(&mut FeedOptions)) -> Self {
        install_provider();
        let shelf = Shelf(Arc::new(watch::Sender::new(known)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut options = FeedOptions {
            connections_max: 8,
            streams_max: 8,
            message_bytes_max: 4_096,
            keep_alive: Duration::from_secs(20),
            drain: Duration::from_secs(1),
            tls: None,
        };
        change(&mut options);
        let (stop, stopped) = oneshot::channel();
        // Nobody stops it whose sender is gone.
        let draining = async {
            if stopped.await.is_err() {
                std::future::pending().await
            }
        };
        let draining = futures::FutureExt::shared(Box::pin(draining));
        let served = tokio::spawn(serve_feed(shelf.clone(), listener, options, draining));
        Self { shelf, address, stop, served }
    }

    fn client(&self, credentials: &str) -> Client {
        let address = self.address;
        let url = format!("kurrentdb://{credentials}{address}?tls=false&discoveryInterval=1");
        Client::new(url.parse().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn each_caller_reads_what_is_theirs() {
    let feed = Feed::start(LOG.len(), |_| {}).await;
    let ann = feed.client("ann:secret@");
    let all = |options: ReadAllOptions| {
        let ann = ann.clone();
        async move {
            let read = collect(ann.read_all(&options).await.unwrap()).await.unwrap();
            read.iter().map(|it| it.position.commit).collect::<Vec<_>>()
        }
    };
    let places = vec![place(0), place(2), place(5), place(6)];
    assert_eq!(all(ReadAllOptions::default()).await, places);
    let mut reversed = places.clone();
    reversed.reverse();
    let backwards = ReadAllOptions::default().backwards().position(StreamPosition::End);
    assert_eq!(all(backwards.clone()).await, reversed);
    assert_eq!(all(backwards.max_count(1)).await, reversed[..1]);
    let at = |place| StreamPosition::Position(WirePosition { commit: place, prepare: place });
    let from = ReadAllOptions::default().position(at(place(2)));
    assert_eq!(all(from.clone()).await, places[1..], "itself included");
    assert_eq!(all(from.backwards()).await, places[..1], "what is in front of it");
    let of_c = SubscriptionFilter::on_event_type().add_prefix("c.");
    assert_eq!(all(ReadAllOptions::default().filter(of_c).max_count(1)).await, [place(5)]);

    let read = async |name: &str| collect(ann.read_stream(name, &Default::default()).await?).await;
    assert_eq!(revisions(&read("a").await.unwrap()), [0, 1, 2]);
    let backwards = ReadStreamOptions::default().backwards().position(StreamPosition::End);
    let read_back = collect(ann.read_stream("a", &backwards).await.unwrap()).await.unwrap();
    assert_eq!(revisions(&read_back), [2, 1, 0]);
    for absent in ["b", "none", "$$a"] {
        let refused = read(absent).await.unwrap_err();
        assert!(matches!(refused, Error::ResourceNotFound), "{absent}: {refused:?}");
    }
    for stranger in ["", "ann:wrong@"] {
        let stranger = feed.client(stranger);
        let read = async { collect(stranger.read_all(&Default::default()).await?).await };
        assert!(matches!(read.await.unwrap_err(), Error::Grpc { .. } | Error::AccessDenied));
    }
}

#[tokio::test]
async fn nobody_writes_through_the_feed() {
    let feed = Feed::start(LOG.len(), |_| {}).await;
    let ann = feed.client("ann:secret@");
    let append = ann.append_to_stream("a", &Default::default(), event("mine")).await;
    let delete = ann.delete_stream("a", &Default::default()).await;
    let end = ann.tombstone_stream("a", &Default::default()).await;
    for refused in [append.err(), delete.err(), end.err()] {
        assert!(matches!(refused, Some(Error::AccessDenied)), "{refused:?}");
    }
    let group = ann.create_persistent_subscription("a", "group", &Default::default()).await;
    assert!(group.is_err());
}

#[tokio::test]
async fn a_subscription_hears_its_own_and_ends_with_its_credentials() {
    let feed = Feed::start(3, |_| {}).await;
    let ann = feed.client("ann:secret@");
    let filter = SubscriptionFilter::on_stream_name().add_prefix("a").max(1);
    let options = SubscribeToAllOptions::default()
        .position(StreamPosition::Position(WirePosition { commit: place(0), prepare: place(0) }))
        .filter(filter);
    let mut following = ann.subscribe_to_all(&options).await;
    let mut heard = Vec::new();
    let ended = loop {
        let heard_now = match following.next_subscription_event().await {
            Ok(SubscriptionEvent::EventAppeared(event)) => {
                format!("event {}", event.get_original_event().position.commit)
            }
            Ok(SubscriptionEvent::Checkpoint(position)) => {
                format!("checkpoint {}", position.commit)
            }
            Ok(SubscriptionEvent::CaughtUp(_)) => {
                feed.shelf.0.send_replace(LOG.len());
                "caught up".to_owned()
            }
            Ok(SubscriptionEvent::Confirmed(_)) => continue,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        };
        heard.push(heard_now);
        if heard.len() == 6 {
            feed.shelf.0.send_replace(0);
        }
    };
    let expected = [
        "event 3000",
        "checkpoint 3000",
        "caught up",
        "checkpoint 6000",
        "event 7000",
        "checkpoint 7000",
    ];
    assert_eq!(heard, expected);
    assert!(matches!(ended, Error::Grpc { .. } | Error::AccessDenied), "{ended:?}");
}
