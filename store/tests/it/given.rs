//! Values that tests append.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use keynest_domain::{CommandId, StreamName, Timestamp};
use keynest_store::{
    Append, ClaimKey, EventStore, Expected, Metadata, NewEvent, Position, READ_EVENTS_MAX,
    Recorded, Revision, StreamAppend, event_id,
};
use uuid::Uuid;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A command id that nobody else has in this process.
pub fn fresh_command() -> CommandId {
    command(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

pub fn command(number: u128) -> CommandId {
    CommandId::new(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub fn stream(id: impl std::fmt::Display) -> StreamName {
    StreamName::new("thing", id)
}

pub fn claim(what: impl std::fmt::Display) -> ClaimKey {
    ClaimKey::new("name", what)
}

pub fn event(text: impl std::fmt::Display) -> NewEvent {
    let data = serde_json::to_vec(&text.to_string()).unwrap();
    NewEvent { name: "thing.happened".into(), version: 1, data: Bytes::from(data) }
}

pub fn at(revision: u32) -> Expected {
    Expected::Exact(Revision::new(revision))
}

/// One stream's part with an event per text.
pub fn part(id: impl std::fmt::Display, expected: Expected, texts: &[&str]) -> StreamAppend {
    StreamAppend { stream: stream(id), expected, events: texts.iter().map(event).collect() }
}

/// A fresh command with these parts.
pub fn append<const N: usize>(streams: [StreamAppend; N]) -> Append {
    Append {
        command_id: fresh_command(),
        streams: streams.into(),
        checks: Vec::new(),
        claims: Vec::new(),
        releases: Vec::new(),
        metadata: Metadata::default(),
    }
}

/// Where the event stands that has so many up to it, itself included: positions need not be dense.
pub async fn place(store: &EventStore, number: usize) -> Position {
    let mut events = all(store).await.into_iter().take(number);
    match number {
        0 => Position::START,
        number => events.nth(number - 1).expect("the log is that long").position,
    }
}

/// How many events there are up to the one at a position, itself included.
pub async fn number(store: &EventStore, position: Position) -> usize {
    let events = all(store).await;
    match position {
        Position::START => 0,
        position => events.iter().position(|it| it.position == position).expect("an event") + 1,
    }
}

/// How many events the log has; its head is the last one's place.
pub async fn length(store: &EventStore) -> usize {
    number(store, store.head().await.unwrap()).await
}

pub async fn all(store: &EventStore) -> Vec<Recorded> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(Position::START, |event| event.position);
        let page = store.read_all(after, READ_EVENTS_MAX).await.unwrap();
        if page.is_empty() {
            return events;
        }
        assert!(page[0].position > after && page.is_sorted_by_key(|event| event.position));
        events.extend(page);
    }
}

/// One event on one stream.
pub fn one(id: impl std::fmt::Display, expected: Expected) -> Append {
    append([part(id, expected, &["one"])])
}

/// An event as it stands in a log.
pub fn stored(name: &str, version: u16, data: impl Into<Bytes>) -> Recorded {
    let command_id = command(1);
    Recorded {
        position: Position::from_stored(1),
        stream: stream(1),
        revision: Revision::new(1),
        event_id: event_id(command_id, 0),
        name: name.into(),
        version,
        data: data.into(),
        recorded_at: Timestamp::from_micros(0),
        command_id,
        metadata: Metadata::default(),
    }
}
