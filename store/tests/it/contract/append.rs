//! Appending to one stream and to many: revisions, positions, atomicity.

use keynest_store::{AppendError, Conflict, EventStore, Expected, Position, Revision};

use crate::given::*;

/// What stands in a stream, in order.
async fn texts(store: &EventStore, id: &str) -> Vec<String> {
    let events = store.read_stream(&stream(id), Revision::NONE).await.unwrap();
    events.iter().map(|event| serde_json::from_slice(&event.data).unwrap()).collect()
}

async fn conflict(store: &EventStore, append: keynest_store::Append) -> Conflict {
    match store.append(append).await {
        Err(AppendError::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, not {other:?}"),
    }
}

fn revisions(id: &str, expected: u32, actual: u32) -> Conflict {
    Conflict::Revision {
        stream: stream(id),
        expected: Revision::new(expected),
        actual: Revision::new(actual),
    }
}

async fn the_first_event_is_behind_the_start_and_has_revision_one(store: EventStore) {
    let appended = store.append(one("a", at(0))).await.unwrap();
    let read = store.read_all(Position::START, 10).await.unwrap();
    assert_eq!(read.len(), 1);
    assert!(read[0].position > Position::START);
    assert_eq!(read[0].revision, Revision::new(1));
    assert_eq!((appended.first, appended.position), (read[0].position, read[0].position));
    assert!(!appended.is_repeat);
}

async fn events_of_one_append_follow_each_other(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3"])])).await.unwrap();
    let appended = store.append(append([part("a", at(3), &["4", "5"])])).await.unwrap();
    assert_eq!(number(&store, appended.first).await, 4);
    assert_eq!(number(&store, appended.position).await, 5);
    assert_eq!(texts(&store, "a").await, ["1", "2", "3", "4", "5"]);
    let read = store.read_stream(&stream("a"), Revision::NONE).await.unwrap();
    let at: Vec<u32> = read.iter().map(|event| event.revision.get()).collect();
    assert_eq!(at, [1, 2, 3, 4, 5]);
}

async fn a_stream_that_must_not_exist_conflicts_if_it_does(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(conflict(&store, one("a", at(0))).await, revisions("a", 0, 1));
}

async fn an_older_revision_conflicts(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2"])])).await.unwrap();
    assert_eq!(conflict(&store, one("a", at(1))).await, revisions("a", 1, 2));
}

async fn a_future_revision_conflicts(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(conflict(&store, one("a", at(2))).await, revisions("a", 2, 1));
    assert_eq!(conflict(&store, one("b", at(u32::MAX))).await, revisions("b", u32::MAX, 0));
}

async fn any_revision_never_conflicts(store: EventStore) {
    for _ in 0..3 {
        store.append(one("a", Expected::Any)).await.unwrap();
    }
    assert_eq!(texts(&store, "a").await.len(), 3);
}

async fn a_conflict_writes_nothing_at_all(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let mixed = append([part("b", at(0), &["b"]), part("a", at(9), &["a"])]);
    let command = mixed.command_id;
    assert_eq!(conflict(&store, mixed).await, revisions("a", 9, 1));
    assert_eq!(texts(&store, "b").await, [""; 0]);
    assert_eq!(length(&store).await, 1);
    assert_eq!(store.lookup(command).await.unwrap(), None);
}

async fn many_streams_are_written_in_the_given_order(store: EventStore) {
    let appended = store
        .append(append([
            part("c", at(0), &["c1", "c2"]),
            part("a", Expected::Any, &["a1"]),
            part("b", at(0), &["b1", "b2"]),
        ]))
        .await
        .unwrap();
    let read = store.read_all(Position::START, 10).await.unwrap();
    let order: Vec<&str> = read.iter().map(|event| event.stream.as_str()).collect();
    assert_eq!(order, ["thing-c", "thing-c", "thing-a", "thing-b", "thing-b"]);
    assert_eq!((appended.first, appended.position), (read[0].position, read[4].position));
}

async fn the_first_conflict_in_the_given_order_is_told(store: EventStore) {
    store.append(append([part("a", at(0), &["1"]), part("b", at(0), &["1"])])).await.unwrap();
    let both = append([part("b", at(5), &["x"]), part("a", at(6), &["x"])]);
    assert_eq!(conflict(&store, both).await, revisions("b", 5, 1));
}

async fn a_conflict_writes_between_no_events(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    conflict(&store, one("a", at(0))).await;
    let appended = store.append(one("a", at(1))).await.unwrap();
    assert_eq!(number(&store, appended.first).await, 2);
}

async fn a_refused_command_id_is_free_for_another_try(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let mut again = one("a", at(0));
    conflict(&store, again.clone()).await;
    again.streams[0].expected = at(1);
    assert!(!store.append(again).await.unwrap().is_repeat);
}

async fn a_check_at_its_revision_passes(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let mut checked = one("b", at(0));
    checked.checks = vec![(stream("a"), Revision::new(1)), (stream("c"), Revision::NONE)];
    store.append(checked).await.unwrap();
    assert_eq!(texts(&store, "a").await.len(), 1);
}

async fn a_check_at_another_revision_conflicts(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    for (expected, actual, id) in [(0, 1, "a"), (2, 1, "a"), (1, 0, "c")] {
        let mut checked = one("b", at(0));
        checked.checks = vec![(stream(id), Revision::new(expected))];
        assert_eq!(conflict(&store, checked).await, revisions(id, expected, actual));
    }
}

async fn a_written_stream_is_checked_as_it_was_before(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let mut checked = one("a", Expected::Any);
    checked.checks = vec![(stream("a"), Revision::new(1))];
    store.append(checked).await.unwrap();
    assert_eq!(texts(&store, "a").await.len(), 2);
}

async fn written_streams_are_compared_before_checks_and_claims(store: EventStore) {
    let mut holder = one("a", at(0));
    holder.claims = vec![(claim("x"), stream("a"))];
    store.append(holder).await.unwrap();
    let mut wrong = append([part("b", at(7), &["b"])]);
    wrong.checks = vec![(stream("a"), Revision::new(9))];
    wrong.claims = vec![(claim("x"), stream("b"))];
    assert_eq!(conflict(&store, wrong.clone()).await, revisions("b", 7, 0));
    wrong.streams[0].expected = at(0);
    assert_eq!(conflict(&store, wrong.clone()).await, revisions("a", 9, 1));
    wrong.checks.clear();
    let held = Conflict::Claim { key: claim("x"), holder: stream("a") };
    assert_eq!(conflict(&store, wrong).await, held);
}

contract![
    the_first_event_is_behind_the_start_and_has_revision_one,
    events_of_one_append_follow_each_other,
    a_stream_that_must_not_exist_conflicts_if_it_does,
    an_older_revision_conflicts,
    a_future_revision_conflicts,
    any_revision_never_conflicts,
    a_conflict_writes_nothing_at_all,
    many_streams_are_written_in_the_given_order,
    the_first_conflict_in_the_given_order_is_told,
    a_conflict_writes_between_no_events,
    a_refused_command_id_is_free_for_another_try,
    a_check_at_its_revision_passes,
    a_check_at_another_revision_conflicts,
    a_written_stream_is_checked_as_it_was_before,
    written_streams_are_compared_before_checks_and_claims,
];
