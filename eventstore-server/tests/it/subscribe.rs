//! Subscriptions: what is there, then what comes, from where one was, and only what matches.

use kurrentdb::{
    Error, Position, StreamPosition, StreamState, SubscribeToAllOptions, SubscribeToStreamOptions,
    Subscription, SubscriptionEvent, SubscriptionFilter,
};

use crate::server::{Face, event};

/// What the next message is, in short.
async fn next(subscription: &mut Subscription) -> String {
    match subscription.next_subscription_event().await.unwrap() {
        SubscriptionEvent::Confirmed(_) => "confirmed".to_owned(),
        SubscriptionEvent::EventAppeared(event) => {
            let event = event.get_original_event();
            format!("{}{}", event.stream_id(), event.revision)
        }
        SubscriptionEvent::CaughtUp(caught_up) => {
            let caught_up = caught_up.unwrap();
            let place = caught_up.stream_revision.or(caught_up.position.map(|it| it.commit));
            format!("caught up {place:?}")
        }
        SubscriptionEvent::Checkpoint(position) => format!("checkpoint {}", position.commit),
        other @ (SubscriptionEvent::FirstStreamPosition(_)
        | SubscriptionEvent::LastStreamPosition(_)
        | SubscriptionEvent::LastAllPosition(_)
        | SubscriptionEvent::FellBehind(_)) => format!("{other:?}"),
    }
}

async fn told<const N: usize>(subscription: &mut Subscription, expected: [&str; N]) {
    for (number, expected) in expected.into_iter().enumerate() {
        assert_eq!(next(subscription).await, expected, "message {number}");
    }
}

async fn a_stream_is_followed_from_its_start(face: Face) {
    face.given("a", 2).await;
    face.given("b", 1).await;
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut following = face.client.subscribe_to_stream("a", &options).await;
    told(&mut following, ["confirmed", "a0", "a1", "caught up Some(1)"]).await;
    face.given("b", 1).await;
    face.given("a", 2).await;
    told(&mut following, ["a2", "a3"]).await;
}

async fn a_stream_is_followed_behind_a_revision_and_from_its_end(face: Face) {
    face.given("a", 3).await;
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Position(1));
    let mut behind = face.client.subscribe_to_stream("a", &options).await;
    told(&mut behind, ["confirmed", "a2", "caught up Some(2)"]).await;
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::End);
    let mut at_end = face.client.subscribe_to_stream("a", &options).await;
    told(&mut at_end, ["confirmed", "caught up Some(2)"]).await;
    let mut absent = face.client.subscribe_to_stream("new", &options).await;
    told(&mut absent, ["confirmed", "caught up None"]).await;
    face.given("a", 1).await;
    face.given("new", 1).await;
    told(&mut behind, ["a3"]).await;
    told(&mut at_end, ["a3"]).await;
    told(&mut absent, ["new0"]).await;
}

async fn following_a_stream_ends_with_it(face: Face) {
    face.given("a", 1).await;
    let options = SubscribeToStreamOptions::default().start_from(StreamPosition::Start);
    let mut following = face.client.subscribe_to_stream("a", &options).await;
    told(&mut following, ["confirmed", "a0", "caught up Some(0)"]).await;
    face.client.tombstone_stream("a", &Default::default()).await.unwrap();
    let ended = following.next_subscription_event().await.unwrap_err();
    assert!(matches!(ended, Error::ResourceDeleted), "{ended:?}");
    let mut late = face.client.subscribe_to_stream("a", &Default::default()).await;
    let ended = late.next_subscription_event().await.unwrap_err();
    assert!(matches!(ended, Error::ResourceDeleted), "{ended:?}");
}

async fn the_log_is_followed_from_a_position(face: Face) {
    let first = face.given("a", 2).await.position;
    face.given("b", 1).await;
    let from = |position| SubscribeToAllOptions::default().position(position);
    let mut all = face.client.subscribe_to_all(&from(StreamPosition::Start)).await;
    told(&mut all, ["confirmed", "a0", "a1", "b0", "caught up Some(3)"]).await;
    let mut behind = face.client.subscribe_to_all(&from(StreamPosition::Position(first))).await;
    told(&mut behind, ["confirmed", "b0", "caught up Some(3)"]).await;
    let mut at_end = face.client.subscribe_to_all(&from(StreamPosition::End)).await;
    told(&mut at_end, ["confirmed", "caught up Some(3)"]).await;
    face.given("c", 1).await;
    for following in [&mut all, &mut behind, &mut at_end] {
        told(following, ["c0"]).await;
    }
}

async fn a_filter_tells_checkpoints_between(face: Face) {
    for number in 0..7_u8 {
        let kind = if number == 4 { "wanted" } else { "other" };
        face.append("a", StreamState::Any, vec![event(kind)]).await.unwrap();
    }
    let filter = SubscriptionFilter::on_event_type().add_prefix("wanted").max(3);
    let from_start =
        |filter| SubscribeToAllOptions::default().position(StreamPosition::Start).filter(filter);
    let mut wanted = face.client.subscribe_to_all(&from_start(filter)).await;
    told(&mut wanted, ["confirmed", "checkpoint 3", "a4", "checkpoint 6"]).await;
    told(&mut wanted, ["checkpoint 7", "caught up Some(7)"]).await;
    for _ in 0..3 {
        face.given("b", 1).await;
    }
    face.append("a", StreamState::Any, vec![event("wanted")]).await.unwrap();
    told(&mut wanted, ["checkpoint 10", "a7"]).await;
    // Whoever goes on from a checkpoint misses nothing and reads nothing again.
    let position = Position { commit: 6, prepare: 6 };
    let filter = SubscriptionFilter::on_event_type().add_prefix("wanted");
    let from = SubscribeToAllOptions::default().position(StreamPosition::Position(position));
    let mut resumed = face.client.subscribe_to_all(&from.filter(filter)).await;
    told(&mut resumed, ["confirmed", "a7", "checkpoint 11", "caught up Some(11)"]).await;
}

async fn nobody_misses_what_is_appended_while_subscribing(face: Face) {
    let writing = async {
        for _ in 0..60 {
            face.given("a", 1).await;
        }
    };
    let following = async {
        for start in [StreamPosition::Start, StreamPosition::Start, StreamPosition::Start] {
            let options = SubscribeToStreamOptions::default().start_from(start);
            let mut following = face.client.subscribe_to_stream("a", &options).await;
            for revision in 0..60 {
                let event = following.next().await.unwrap();
                assert_eq!(event.get_original_event().revision, revision);
            }
        }
    };
    futures::join!(writing, following);
}

on_each_backend![
    a_stream_is_followed_from_its_start,
    a_stream_is_followed_behind_a_revision_and_from_its_end,
    following_a_stream_ends_with_it,
    the_log_is_followed_from_a_position,
    a_filter_tells_checkpoints_between,
    nobody_misses_what_is_appended_while_subscribing,
];
