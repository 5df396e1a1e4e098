//! Deleted streams, ended ones, and settings.

use std::time::Duration;

use kurrentdb::{
    DeleteStreamOptions, Error, ReadAllOptions, ReadStreamOptions, StreamMetadataBuilder,
    StreamMetadataResult, StreamPosition, StreamState, TombstoneStreamOptions,
};

use crate::server::{Face, event, revisions};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

async fn a_deleted_stream_is_not_found_and_begins_again_behind(face: Face) {
    face.given("a", 3).await;
    face.client.delete_stream("a", &DeleteStreamOptions::default()).await.unwrap();
    let read = face.read("a", Default::default()).await;
    assert!(matches!(read, Err(Error::ResourceNotFound)), "{read:?}");
    let refused = face.append("a", StreamState::StreamExists, vec![event("x")]).await;
    assert!(matches!(refused, Err(Error::WrongExpectedVersion { .. })), "{refused:?}");
    let again = face.append("a", StreamState::NoStream, vec![event("again")]).await.unwrap();
    assert_eq!(again.next_expected_version, 3);
    face.given("a", 1).await;
    assert_eq!(revisions(&face.read("a", Default::default()).await.unwrap()), [3, 4]);
    let end = ReadStreamOptions::default().backwards().position(StreamPosition::End);
    assert_eq!(revisions(&face.read("a", end).await.unwrap()), [4, 3]);
    // The log keeps what was deleted.
    let all = face.read_all(ReadAllOptions::default()).await.unwrap();
    assert_eq!(all.iter().filter(|event| event.stream_id() == "a").count(), 5);
}

async fn of_many_that_begin_a_deleted_stream_again_one_wins(face: Face) {
    face.given("a", 2).await;
    face.client.delete_stream("a", &DeleteStreamOptions::default()).await.unwrap();
    let attempts = (0..64).map(|_| face.append("a", StreamState::NoStream, vec![event("again")]));
    let results = futures::future::join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(revisions(&face.read("a", Default::default()).await.unwrap()), [2]);
}

async fn a_stream_is_deleted_at_the_revision_that_was_expected(face: Face) {
    face.given("a", 2).await;
    let at = |state| DeleteStreamOptions::default().stream_state(state);
    for wrong in
        [StreamState::NoStream, StreamState::StreamRevision(0), StreamState::StreamRevision(2)]
    {
        assert!(face.client.delete_stream("a", &at(wrong)).await.is_err(), "{wrong:?}");
    }
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 2);
    face.client.delete_stream("a", &at(StreamState::StreamRevision(1))).await.unwrap();
    assert!(face.read("a", Default::default()).await.is_err());
}

async fn a_stream_that_grows_meanwhile_is_not_deleted(face: Face) {
    let at_first = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(0));
    for round in 0..20 {
        let stream = format!("a{round}");
        face.given(&stream, 1).await;
        let appends = (0..8).map(|_| face.append(&stream, StreamState::Any, vec![event("x")]));
        let deletion = face.client.delete_stream(stream.as_str(), &at_first);
        let (appended, deleted) = futures::join!(futures::future::join_all(appends), deletion);
        // Either it was as expected, with all that came behind it, or nothing was deleted.
        if let Ok(deleted) = deleted {
            for written in appended {
                let written = written.unwrap().position;
                assert!(deleted.unwrap() < written, "{written:?} before {deleted:?}");
            }
        }
    }
}

async fn an_ended_stream_stays_ended(face: Face) {
    face.given("a", 2).await;
    let written =
        face.client.tombstone_stream("a", &TombstoneStreamOptions::default()).await.unwrap();
    let is_deleted =
        |result: Error| assert!(matches!(result, Error::ResourceDeleted), "{result:?}");
    is_deleted(face.read("a", Default::default()).await.unwrap_err());
    for expected in [StreamState::Any, StreamState::NoStream, StreamState::StreamRevision(1)] {
        is_deleted(face.append("a", expected, vec![event("x")]).await.unwrap_err());
    }
    is_deleted(face.client.delete_stream("a", &Default::default()).await.unwrap_err());
    is_deleted(face.client.tombstone_stream("a", &Default::default()).await.unwrap_err());
    let settings = StreamMetadataBuilder::new().max_count(1).build();
    let set = face.client.set_stream_metadata("a", &Default::default(), &settings).await;
    is_deleted(set.unwrap_err());
    let last = ReadAllOptions::default().backwards().position(StreamPosition::End).max_count(1);
    let last = face.read_all(last).await.unwrap().remove(0);
    assert_eq!((last.stream_id(), last.event_type.as_str()), ("a", "$streamDeleted"));
    assert_eq!((last.revision, Some(last.position)), (i64::MAX as u64, written));
}

async fn of_appends_and_an_end_none_comes_after_the_end(face: Face) {
    face.given("a", 1).await;
    let appends = (0..32).map(|_| face.append("a", StreamState::Any, vec![event("x")]));
    let options = TombstoneStreamOptions::default();
    let end = face.client.tombstone_stream("a", &options);
    let (appended, ended) = futures::join!(futures::future::join_all(appends), end);
    let ended = ended.unwrap().unwrap();
    for written in appended.into_iter().flatten() {
        assert!(written.position < ended, "{written:?} after {ended:?}");
    }
    let all = face.read_all(ReadAllOptions::default()).await.unwrap();
    assert_eq!(all.last().unwrap().position, ended);
}

async fn settings_come_back_and_hide_what_they_say(face: Face) {
    face.given("a", 5).await;
    let none = face.client.get_stream_metadata("a", &Default::default()).await.unwrap();
    assert!(matches!(none, StreamMetadataResult::NotFound));
    let count = StreamMetadataBuilder::new()
        .max_count(3)
        .cache_control(Duration::from_secs(15))
        .insert_custom_property("owner", "me")
        .build();
    face.client.set_stream_metadata("a", &Default::default(), &count).await.unwrap();
    let StreamMetadataResult::Success(kept) =
        face.client.get_stream_metadata("a", &Default::default()).await.unwrap()
    else {
        panic!("no settings")
    };
    assert_eq!((kept.metadata(), kept.version()), (&count, 0));
    assert_eq!(revisions(&face.read("a", Default::default()).await.unwrap()), [2, 3, 4]);
    let cut = StreamMetadataBuilder::new().truncate_before(4).build();
    face.client.set_stream_metadata("a", &Default::default(), &cut).await.unwrap();
    assert_eq!(revisions(&face.read("a", Default::default()).await.unwrap()), [4]);
    let old = StreamMetadataBuilder::new().max_age(Duration::from_secs(3_600)).build();
    face.client.set_stream_metadata("a", &Default::default(), &old).await.unwrap();
    assert_eq!(face.read("a", Default::default()).await.unwrap().len(), 5);
    let end = ReadStreamOptions::default().backwards().position(StreamPosition::End);
    assert_eq!(revisions(&face.read("$$a", end).await.unwrap()), [2]);
}

async fn what_is_too_old_is_hidden(face: Face) {
    face.given("a", 2).await;
    // One second: the protocol counts these, and this client writes milliseconds.
    let old = StreamMetadataBuilder::new().max_age(Duration::from_millis(1)).build();
    face.client.set_stream_metadata("a", &Default::default(), &old).await.unwrap();
    // Each read takes its time; that of the events passes meanwhile.
    let all_gone = async { while !face.read("a", Default::default()).await.unwrap().is_empty() {} };
    tokio::time::timeout(PATIENCE, all_gone).await.unwrap();
    let kept = StreamMetadataBuilder::new().build();
    face.client.set_stream_metadata("a", &Default::default(), &kept).await.unwrap();
    assert_eq!(revisions(&face.read("a", Default::default()).await.unwrap()), [0, 1]);
}

on_each_backend![
    a_deleted_stream_is_not_found_and_begins_again_behind,
    of_many_that_begin_a_deleted_stream_again_one_wins,
    a_stream_is_deleted_at_the_revision_that_was_expected,
    a_stream_that_grows_meanwhile_is_not_deleted,
    an_ended_stream_stays_ended,
    of_appends_and_an_end_none_comes_after_the_end,
    settings_come_back_and_hide_what_they_say,
    what_is_too_old_is_hidden,
];
