//! Command ids: a repeat is answered with the original result and appends nothing.

use keynest_store::{AppendError, EventStore, Expected, Position, Revision, event_id};

use crate::given::*;

async fn a_repeated_command_is_answered_with_its_original_result(store: EventStore) {
    store.append(one("other", at(0))).await.unwrap();
    let append = append([part("a", at(0), &["1", "2"]), part("b", at(0), &["3"])]);
    let first = store.append(append.clone()).await.unwrap();
    let again = store.append(append).await.unwrap();
    assert!(!first.is_repeat && again.is_repeat);
    assert_eq!((again.first, again.position), (first.first, first.position));
    assert_eq!(length(&store).await, 4);
}

async fn a_repeat_with_other_content_is_answered_the_same(store: EventStore) {
    let first = one("a", at(0));
    let original = store.append(first.clone()).await.unwrap();
    let mut other = append([part("z", at(77), &["x", "y", "z"])]);
    other.command_id = first.command_id;
    let again = store.append(other).await.unwrap();
    assert_eq!((again.first, again.position), (original.first, original.position));
    assert_eq!(store.read_stream(&stream("z"), Revision::NONE).await.unwrap(), []);
}

async fn a_repeat_takes_no_claim_and_gives_none_back(store: EventStore) {
    let mut first = one("a", at(0));
    first.claims = vec![(claim("x"), stream("a"))];
    store.append(first.clone()).await.unwrap();
    let mut again = one("b", Expected::Any);
    again.command_id = first.command_id;
    again.releases = vec![claim("x")];
    again.claims = vec![(claim("y"), stream("b"))];
    store.append(again).await.unwrap();
    assert!(store.resolve(&claim("x")).await.unwrap().is_some());
    assert_eq!(store.resolve(&claim("y")).await.unwrap(), None);
}

async fn a_malformed_repeat_is_still_malformed(store: EventStore) {
    let first = one("a", at(0));
    store.append(first.clone()).await.unwrap();
    let mut empty = first;
    empty.streams.clear();
    assert!(matches!(store.append(empty).await, Err(AppendError::Malformed(_))));
}

async fn parallel_repeats_of_one_command_write_it_once(store: EventStore) {
    let append = append([part("a", Expected::Any, &["1", "2"])]);
    let calls = (0..64).map(|_| {
        let (store, append) = (store.clone(), append.clone());
        tokio::spawn(async move { store.append(append).await.unwrap() })
    });
    let answers = futures::future::join_all(calls).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.is_repeat).count(), 1);
    let (first, last) = (place(&store, 1).await, place(&store, 2).await);
    assert!(answers.iter().all(|it| (it.first, it.position) == (first, last)));
    assert_eq!(length(&store).await, 2);
}

async fn a_command_is_looked_up_by_its_id(store: EventStore) {
    store.append(one("other", at(0))).await.unwrap();
    let append = append([part("a", at(0), &["1", "2"])]);
    let command = append.command_id;
    assert_eq!(store.lookup(command).await.unwrap(), None);
    store.append(append).await.unwrap();
    let found = store.lookup(command).await.unwrap().unwrap();
    assert_eq!(number(&store, found.first).await, 2);
    assert_eq!(number(&store, found.position).await, 3);
    assert!(found.is_repeat);
}

async fn the_events_of_a_looked_up_command_can_be_read(store: EventStore) {
    store.append(one("other", at(0))).await.unwrap();
    let append = append([part("a", at(0), &["1", "2"]), part("b", at(0), &["3"])]);
    let appended = store.append(append.clone()).await.unwrap();
    store.append(one("later", at(0))).await.unwrap();
    let events = store.read_appended(&appended).await.unwrap();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event.command_id == append.command_id));
}

async fn event_ids_follow_from_command_and_place(store: EventStore) {
    let append = append([part("a", at(0), &["1", "2"]), part("b", at(0), &["3"])]);
    store.append(append.clone()).await.unwrap();
    let read = store.read_all(Position::START, 10).await.unwrap();
    for (index, event) in (0..).zip(&read) {
        assert_eq!(event.event_id, event_id(append.command_id, index));
        assert_eq!(event.command_id, append.command_id);
    }
}

contract![
    a_repeated_command_is_answered_with_its_original_result,
    a_repeat_with_other_content_is_answered_the_same,
    a_repeat_takes_no_claim_and_gives_none_back,
    a_malformed_repeat_is_still_malformed,
    parallel_repeats_of_one_command_write_it_once,
    a_command_is_looked_up_by_its_id,
    the_events_of_a_looked_up_command_can_be_read,
    event_ids_follow_from_command_and_place,
];
