//! Persistent subscriptions: events are shared out, acknowledged, tried again, put aside, and not forgotten.

use std::time::Duration;

use kurrentdb::{
    Client, Error, NakAction, PersistentSubscription, PersistentSubscriptionOptions,
    PersistentSubscriptionToAllOptions, ResolvedEvent, StreamPosition, SubscriptionFilter,
};

use crate::server::Face;

fn from_start() -> PersistentSubscriptionOptions {
    let mut options = PersistentSubscriptionOptions::default().start_from(StreamPosition::Start);
    let settings = options.settings_mut();
    settings.max_retry_count = 1;
    settings.checkpoint_lower_bound = 1;
    settings.checkpoint_upper_bound = 1;
    options
}

async fn made(client: &Client, options: PersistentSubscriptionOptions) {
    client.create_persistent_subscription("a", "group", &options).await.unwrap();
}

async fn consumer(client: &Client) -> PersistentSubscription {
    client.subscribe_to_persistent_subscription("a", "group", &Default::default()).await.unwrap()
}

async fn next(consumer: &mut PersistentSubscription) -> (ResolvedEvent, u64) {
    let event = consumer.next().await.unwrap();
    let revision = event.get_original_event().revision;
    (event, revision)
}

async fn what_is_acknowledged_does_not_come_again(face: Face) {
    face.given("a", 3).await;
    made(&face.client, from_start()).await;
    let mut first = consumer(&face.client).await;
    for expected in 0..2 {
        let (event, revision) = next(&mut first).await;
        assert_eq!(revision, expected);
        first.ack(&event).await.unwrap();
    }
    assert_eq!(next(&mut first).await.1, 2);
    // Written once both were acknowledged; the third was not, and comes again.
    let info = async || {
        let options = Default::default();
        face.client.get_persistent_subscription_info("a", "group", &options).await.unwrap()
    };
    while info().await.stats.last_checkpointed_event_revision != Some(1) {}
    drop(first);
    let restarted = Face::over(face.store.clone()).await;
    let mut second = consumer(&restarted.client).await;
    assert_eq!(next(&mut second).await.1, 2);
    restarted.given("a", 1).await;
    assert_eq!(next(&mut second).await.1, 3);
}

async fn what_is_refused_comes_again_and_is_put_aside(face: Face) {
    face.given("a", 2).await;
    made(&face.client, from_start()).await;
    let mut consumer = consumer(&face.client).await;
    let (skipped, _) = next(&mut consumer).await;
    consumer.nack(&skipped, NakAction::Skip, "not mine").await.unwrap();
    for _ in 0..2 {
        let (event, revision) = next(&mut consumer).await;
        assert_eq!(revision, 1);
        consumer.nack(&event, NakAction::Retry, "later").await.unwrap();
    }
    let parked = async || {
        let options = Default::default();
        let info = face.client.get_persistent_subscription_info("a", "group", &options).await;
        info.unwrap().stats.parked_message_count
    };
    while parked().await != 1 {}
    face.client.replay_parked_messages("a", "group", &Default::default()).await.unwrap();
    let (event, revision) = next(&mut consumer).await;
    assert_eq!((revision, parked().await), (1, 0));
    consumer.ack(&event).await.unwrap();
    face.given("a", 1).await;
    assert_eq!(next(&mut consumer).await.1, 2);
}

async fn what_nobody_answers_comes_again(face: Face) {
    face.given("a", 1).await;
    let mut options = from_start();
    options.settings_mut().message_timeout = Duration::from_millis(50);
    made(&face.client, options).await;
    let mut consumer = consumer(&face.client).await;
    let (first, again) = (next(&mut consumer).await.0, next(&mut consumer).await.0);
    assert_eq!(first.get_original_event().id, again.get_original_event().id);
}

async fn what_a_consumer_left_goes_to_the_next(face: Face) {
    face.given("a", 2).await;
    made(&face.client, from_start()).await;
    let mut gone = consumer(&face.client).await;
    assert_eq!((next(&mut gone).await.1, next(&mut gone).await.1), (0, 1));
    drop(gone);
    let mut other = consumer(&face.client).await;
    assert_eq!((next(&mut other).await.1, next(&mut other).await.1), (0, 1));
}

async fn groups_are_made_once_and_end_with_their_consumers(face: Face) {
    face.given("a", 1).await;
    made(&face.client, from_start()).await;
    let again = face.client.create_persistent_subscription("a", "group", &from_start()).await;
    assert!(matches!(again, Err(Error::ResourceAlreadyExists)), "{again:?}");
    let mut consumer = consumer(&face.client).await;
    let (event, _) = next(&mut consumer).await;
    consumer.ack(&event).await.unwrap();
    face.client.delete_persistent_subscription("a", "group", &Default::default()).await.unwrap();
    assert!(consumer.next().await.is_err());
    let absent =
        face.client.delete_persistent_subscription("a", "group", &Default::default()).await;
    assert!(matches!(absent, Err(Error::ResourceNotFound)), "{absent:?}");
    // One of the same name begins anew.
    made(&face.client, from_start()).await;
    let mut anew = self::consumer(&face.client).await;
    assert_eq!(next(&mut anew).await.1, 0);
}

async fn a_group_follows_all_streams_through_a_filter(face: Face) {
    face.given("a", 1).await;
    let options = PersistentSubscriptionToAllOptions::default()
        .start_from(StreamPosition::Start)
        .filter(SubscriptionFilter::on_stream_name().add_prefix("b"));
    face.client.create_persistent_subscription_to_all("group", &options).await.unwrap();
    let options = Default::default();
    let subscribing = face.client.subscribe_to_persistent_subscription_to_all("group", &options);
    let mut consumer = subscribing.await.unwrap();
    face.given("b", 1).await;
    face.given("a", 1).await;
    face.given("b2", 1).await;
    for expected in ["b", "b2"] {
        let event = consumer.next().await.unwrap();
        assert_eq!(event.get_original_stream_id(), expected);
        consumer.ack(&event).await.unwrap();
    }
    let listed =
        face.client.list_persistent_subscriptions_to_all(&Default::default()).await.unwrap();
    assert_eq!(listed[0].group_name, "group");
}

async fn a_group_takes_no_more_consumers_than_it_may(face: Face) {
    face.given("a", 1).await;
    let mut options = from_start();
    options.settings_mut().max_subscriber_count = 1;
    made(&face.client, options).await;
    let mut only = consumer(&face.client).await;
    assert_eq!(next(&mut only).await.1, 0);
    let refused = consumer(&face.client).await.next().await;
    assert!(format!("{refused:?}").contains("Maximum subscriptions reached"), "{refused:?}");
    drop(only);
    // The seat is free when the server has noticed; until then one more is refused again.
    let seated = async { while consumer(&face.client).await.next().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), seated).await.unwrap();
}

on_each_backend![
    what_is_acknowledged_does_not_come_again,
    what_is_refused_comes_again_and_is_put_aside,
    what_nobody_answers_comes_again,
    what_a_consumer_left_goes_to_the_next,
    groups_are_made_once_and_end_with_their_consumers,
    a_group_follows_all_streams_through_a_filter,
    a_group_takes_no_more_consumers_than_it_may,
];
