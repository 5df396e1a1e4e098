//! What is refused before it is queued, and what just passes.

use bytes::Bytes;
use keynest_domain::{Sealed, StreamName};
use keynest_store::*;

use crate::given::*;

async fn refused(store: &EventStore, append: Append) -> String {
    let command = append.command_id;
    let Err(AppendError::Malformed(why)) = store.append(append).await else {
        panic!("expected a refusal");
    };
    assert_eq!(store.lookup(command).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position::START);
    why
}

fn named(name: &str) -> Append {
    let mut append = one("a", at(0));
    append.streams[0].stream = StreamName::from_stored(name.to_owned());
    append
}

fn sized(events: usize, bytes: usize) -> Append {
    let mut append = one("a", at(0));
    let event = NewEvent { data: Bytes::from(vec![b'x'; bytes]), ..event("") };
    append.streams[0].events = vec![event; events];
    append
}

async fn an_append_without_events_is_refused(store: EventStore) {
    assert_eq!(refused(&store, append([])).await, "no events");
    let hollow = append([part("a", at(0), &["1"]), part("b", at(0), &[])]);
    assert_eq!(refused(&store, hollow).await, "no events for stream thing-b");
}

async fn a_stream_named_twice_is_refused(store: EventStore) {
    let twice = append([part("a", at(0), &["1"]), part("a", at(1), &["2"])]);
    assert_eq!(refused(&store, twice).await, "stream thing-a is named twice");
}

async fn a_stream_checked_twice_is_refused(store: EventStore) {
    let mut twice = one("a", at(0));
    twice.checks = vec![(stream("b"), Revision::NONE), (stream("b"), Revision::new(1))];
    assert_eq!(refused(&store, twice).await, "stream thing-b is checked twice");
}

async fn a_claim_taken_twice_is_refused(store: EventStore) {
    let mut twice = one("a", at(0));
    twice.claims = vec![(claim("x"), stream("a")), (claim("x"), stream("a"))];
    assert_eq!(refused(&store, twice).await, "a claim is taken twice");
}

async fn a_claim_for_a_stream_that_may_not_exist_is_refused(store: EventStore) {
    let mut loose = one("a", at(0));
    loose.claims = vec![(claim("x"), stream("b"))];
    let why = "a claim for stream thing-b, which is neither written nor checked to exist";
    assert_eq!(refused(&store, loose.clone()).await, why);
    loose.checks = vec![(stream("b"), Revision::NONE)];
    assert_eq!(refused(&store, loose).await, why);
}

async fn a_nul_is_refused_wherever_text_goes(store: EventStore) {
    assert_eq!(refused(&store, named("thing-\0")).await, "a NUL in a stream name");
    let mut append = one("a", at(0));
    append.checks = vec![(stream("\0"), Revision::NONE)];
    assert_eq!(refused(&store, append).await, "a NUL in a stream name");
    let mut append = one("a", at(0));
    append.streams[0].events[0].name = "thing\0".into();
    assert_eq!(refused(&store, append).await, "a NUL in a event name");
    let mut append = one("a", at(0));
    append.claims = vec![(claim("\0"), stream("a"))];
    assert_eq!(refused(&store, append).await, "a NUL in a claim key");
    let mut append = one("a", at(0));
    append.releases = vec![claim("\0")];
    assert_eq!(refused(&store, append).await, "a NUL in a claim key");
}

async fn a_nul_in_a_payload_is_data(store: EventStore) {
    let mut append = one("a", at(0));
    append.streams[0].events[0].data = Bytes::from_static(b"\0\xff\0");
    store.append(append).await.unwrap();
    let read = store.read_all(Position::START, 1).await.unwrap();
    assert_eq!(&read[0].data[..], b"\0\xff\0");
}

async fn a_name_is_as_long_as_its_limit_and_no_longer(store: EventStore) {
    assert_eq!(refused(&store, named("")).await, "an empty stream name");
    let long = format!("a-{}", "é".repeat(STREAM_NAME_BYTES_MAX));
    assert!(refused(&store, named(&long)).await.starts_with("a stream name of 402 bytes"));
    let mut unnamed = one("a", at(0));
    unnamed.streams[0].events[0].name = "n".repeat(EVENT_NAME_BYTES_MAX + 1).into();
    refused(&store, unnamed.clone()).await;
    unnamed.streams[0].events[0].name = "n".repeat(EVENT_NAME_BYTES_MAX).into();
    unnamed.streams[0].stream = StreamName::from_stored("s".repeat(STREAM_NAME_BYTES_MAX));
    let key = ClaimKey::from_stored("k".repeat(CLAIM_KEY_BYTES_MAX));
    unnamed.claims = vec![(key.clone(), unnamed.streams[0].stream.clone())];
    store.append(unnamed.clone()).await.unwrap();
    let holder = store.resolve(&key).await.unwrap();
    assert_eq!(holder, Some((unnamed.streams[0].stream.clone(), Revision::new(1))));
}

async fn a_claim_key_over_its_limit_is_refused(store: EventStore) {
    let mut append = one("a", at(0));
    append.releases = vec![ClaimKey::from_stored("k".repeat(CLAIM_KEY_BYTES_MAX + 1))];
    refused(&store, append.clone()).await;
    append.releases = vec![ClaimKey::from_stored(String::new())];
    assert_eq!(refused(&store, append).await, "an empty claim key");
}

async fn version_zero_is_refused(store: EventStore) {
    let mut append = one("a", at(0));
    append.streams[0].events[0].version = 0;
    assert_eq!(refused(&store, append.clone()).await, "thing.happened has version 0");
    append.streams[0].events[0].version = u16::MAX;
    store.append(append).await.unwrap();
    assert_eq!(store.read_all(Position::START, 1).await.unwrap()[0].version, u16::MAX);
}

async fn an_event_is_as_large_as_its_limit_and_no_larger(store: EventStore) {
    refused(&store, sized(1, EVENT_BYTES_MAX + 1)).await;
    store.append(sized(1, EVENT_BYTES_MAX)).await.unwrap();
    let read = store.read_all(Position::START, 1).await.unwrap();
    assert_eq!(read[0].data.len(), EVENT_BYTES_MAX);
}

async fn an_append_has_as_many_events_as_its_limit_and_no_more(store: EventStore) {
    refused(&store, sized(APPEND_EVENTS_MAX + 1, 1)).await;
    let appended = store.append(sized(APPEND_EVENTS_MAX, 1)).await.unwrap();
    assert_eq!(number(&store, appended.position).await, APPEND_EVENTS_MAX);
}

async fn an_append_is_as_large_as_its_limit_and_no_larger(store: EventStore) {
    const FULL: usize = APPEND_BYTES_MAX / EVENT_BYTES_MAX;
    refused(&store, sized(FULL + 1, EVENT_BYTES_MAX)).await;
    store.append(sized(FULL, EVENT_BYTES_MAX)).await.unwrap();
    let events = store.read_stream(&stream("a"), Revision::NONE).await.unwrap();
    assert_eq!(events.iter().map(|event| event.data.len()).sum::<usize>(), APPEND_BYTES_MAX);
}

async fn conditions_are_counted(store: EventStore) {
    let many = || (0..=APPEND_CONDITIONS_MAX).map(claim);
    let mut append = one("a", at(0));
    append.releases = many().collect();
    refused(&store, append.clone()).await;
    append.releases.clear();
    append.claims = many().map(|key| (key, stream("a"))).collect();
    refused(&store, append.clone()).await;
    append.claims.clear();
    append.checks = (0..=APPEND_CONDITIONS_MAX).map(|id| (stream(id), Revision::NONE)).collect();
    refused(&store, append).await;
}

async fn a_sealed_client_over_its_limit_is_refused(store: EventStore) {
    let mut append = one("a", at(0));
    append.metadata.client = Some(Sealed::from_bytes(vec![0; CLIENT_BYTES_MAX + 1]));
    refused(&store, append).await;
}

contract![
    an_append_without_events_is_refused,
    a_stream_named_twice_is_refused,
    a_stream_checked_twice_is_refused,
    a_claim_taken_twice_is_refused,
    a_claim_for_a_stream_that_may_not_exist_is_refused,
    a_nul_is_refused_wherever_text_goes,
    a_nul_in_a_payload_is_data,
    a_name_is_as_long_as_its_limit_and_no_longer,
    a_claim_key_over_its_limit_is_refused,
    version_zero_is_refused,
    an_event_is_as_large_as_its_limit_and_no_larger,
    an_append_has_as_many_events_as_its_limit_and_no_more,
    an_append_is_as_large_as_its_limit_and_no_larger,
    conditions_are_counted,
    a_sealed_client_over_its_limit_is_refused,
];
