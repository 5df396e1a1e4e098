//! Appends: what is kept, what is expected, what is repeated, and races.

use bytes::Bytes;
use kurrentdb::{CurrentRevision, Error, EventData, StreamState};
use uuid::Uuid;

use crate::server::{Face, event, revisions};

async fn an_event_comes_back_as_it_was_sent(face: Face) {
    let id = Uuid::from_u128(7);
    let odd = EventData::binary("Größe \u{1F511}", Bytes::from_static(&[0, 255, 10]))
        .id(id)
        .metadata(Bytes::from_static(b"\x00\xffnot json"));
    let json = event("thing.happened").metadata_as_json(&["tag"]).unwrap();
    let written = face.append("thing-1", StreamState::NoStream, vec![odd, json]).await.unwrap();
    assert_eq!(written.next_expected_version, 1);
    let read = face.read("thing-1", Default::default()).await.unwrap();
    assert_eq!(revisions(&read), [0, 1]);
    assert_eq!(
        (read[0].id, read[0].event_type.as_str(), read[0].is_json),
        (id, "Größe \u{1F511}", false)
    );
    assert_eq!(
        (&*read[0].data, &*read[0].custom_metadata),
        (&[0, 255, 10][..], &b"\x00\xffnot json"[..])
    );
    assert_eq!((read[1].is_json, &*read[1].custom_metadata), (true, &br#"["tag"]"#[..]));
    assert_eq!((read[1].position, read[1].stream_id()), (written.position, "thing-1"));
    let age = chrono::Utc::now() - read[1].created;
    assert!(age.num_seconds().abs() < 3_600, "ticks since 1970: {age}");
}

async fn expectations_hold_or_the_append_is_refused(face: Face) {
    let try_it = async |stream: &str, expected| {
        face.append(stream, expected, vec![event("thing.happened")]).await
    };
    let refused = |result: kurrentdb::Result<_>| match result {
        Err(Error::WrongExpectedVersion { expected, current }) => (expected, current),
        other => panic!("{other:?}"),
    };
    let none = CurrentRevision::NoStream;
    for expected in [StreamState::StreamExists, StreamState::StreamRevision(0)] {
        assert_eq!(refused(try_it("a", expected).await), (expected, none));
    }
    assert_eq!(try_it("a", StreamState::NoStream).await.unwrap().next_expected_version, 0);
    assert_eq!(try_it("a", StreamState::StreamRevision(0)).await.unwrap().next_expected_version, 1);
    assert_eq!(try_it("a", StreamState::StreamExists).await.unwrap().next_expected_version, 2);
    assert_eq!(try_it("a", StreamState::Any).await.unwrap().next_expected_version, 3);
    for expected in [
        StreamState::NoStream,
        StreamState::StreamRevision(2),
        StreamState::StreamRevision(4),
        StreamState::StreamRevision(u64::MAX - 1),
    ] {
        assert_eq!(refused(try_it("a", expected).await), (expected, CurrentRevision::Current(3)));
    }
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 4);
}

async fn the_same_events_again_change_nothing(face: Face) {
    let events = || vec![event("one").id(Uuid::from_u128(1)), event("two").id(Uuid::from_u128(2))];
    let first = face.append("a", StreamState::NoStream, events()).await.unwrap();
    let repeats =
        [StreamState::NoStream, StreamState::Any, StreamState::NoStream, StreamState::Any];
    for expected in repeats {
        let again = face.append("a", expected, events()).await.unwrap();
        assert_eq!((again.next_expected_version, again.position), (1, first.position));
    }
    face.given("a", 1).await;
    let again = face.append("a", StreamState::NoStream, events()).await.unwrap();
    assert_eq!((again.next_expected_version, again.position), (1, first.position));
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 3);
    // The same ids elsewhere, or behind what is there, are other events.
    face.append("b", StreamState::NoStream, events()).await.unwrap();
    let behind = face.append("a", StreamState::StreamRevision(2), events()).await.unwrap();
    assert_eq!(behind.next_expected_version, 4);
    let mixed = vec![event("one").id(Uuid::from_u128(1)), event("three")];
    assert!(face.append("a", StreamState::NoStream, mixed).await.is_err());
    // Who expects nothing and asks late is answered as at first, too.
    let first = face.append("c", StreamState::Any, events()).await.unwrap();
    face.given("c", 1).await;
    let again = face.append("c", StreamState::Any, events()).await.unwrap();
    assert_eq!((again.next_expected_version, again.position), (1, first.position));
    assert_eq!(face.read("c", Default::default()).await.unwrap().len(), 3);
}

async fn of_many_at_one_revision_one_wins(face: Face) {
    face.given("a", 1).await;
    let attempts =
        (0..64).map(|_| face.append("a", StreamState::StreamRevision(0), vec![event("won")]));
    let results = futures::future::join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 2);
}

async fn many_that_expect_nothing_all_find_their_place(face: Face) {
    let attempts = (0..64).map(|_| face.append("a", StreamState::Any, vec![event("came")]));
    let results = futures::future::join_all(attempts).await;
    let mut found: Vec<u64> =
        results.into_iter().map(|result| result.unwrap().next_expected_version).collect();
    found.sort_unstable();
    assert_eq!(found, Vec::from_iter(0..64));
}

async fn an_append_of_nothing_is_judged(face: Face) {
    let written = face.append("a", StreamState::NoStream, Vec::new()).await.unwrap();
    assert_eq!(written.next_expected_version, 0);
    assert!(face.append("a", StreamState::StreamExists, Vec::new()).await.is_err());
    assert!(matches!(face.read("a", Default::default()).await, Err(Error::ResourceNotFound)));
}

async fn what_is_too_large_or_has_no_name_is_refused(face: Face) {
    let invalid = |result: kurrentdb::Result<_>| match result {
        Err(Error::Grpc { code, message }) => {
            assert_eq!(code as i32, 3, "{message}");
            message
        }
        other => panic!("{other:?}"),
    };
    let large = EventData::binary("large", Bytes::from(vec![7; 256 * 1024]));
    let message = invalid(face.append("a", StreamState::Any, vec![large]).await);
    assert!(message.contains("262144"), "{message}");
    let many = (0..1_101).map(|_| event("many")).collect();
    invalid(face.append("a", StreamState::Any, many).await);
    for name in ["", "a\0b", &"n".repeat(199)] {
        invalid(face.append(name, StreamState::Any, vec![event("x")]).await);
    }
    invalid(face.append("a", StreamState::Any, vec![event("")]).await);
    assert_eq!(face.store.head().await.unwrap().to_stored(), 0);
}

async fn batches_over_one_call_each_have_their_answer(face: Face) {
    let batch = face.client.batch_append(&Default::default()).await.unwrap();
    for round in 0..3 {
        let events = vec![event("one"), event("two")];
        let written = batch.append_to_stream("a", StreamState::Any, events).await.unwrap();
        assert_eq!(written.current_revision(), Some(round * 2 + 1));
        assert_eq!(written.stream_name(), "a");
    }
    let refused = batch.append_to_stream("a", StreamState::NoStream, vec![event("x")]).await;
    assert!(matches!(refused, Err(Error::Grpc { code, .. }) if code as i32 == 9), "{refused:?}");
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 6);
}

on_each_backend![
    an_event_comes_back_as_it_was_sent,
    expectations_hold_or_the_append_is_refused,
    the_same_events_again_change_nothing,
    of_many_at_one_revision_one_wins,
    many_that_expect_nothing_all_find_their_place,
    an_append_of_nothing_is_judged,
    what_is_too_large_or_has_no_name_is_refused,
    batches_over_one_call_each_have_their_answer,
];
