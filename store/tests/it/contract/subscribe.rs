//! Subscriptions: from any place, without a gap, then live.

use keynest_domain::{EventId, OrganizationId, RequestId, Sealed, SessionId, UserId};
use keynest_store::{Append, EventStore, Expected, Metadata, Position, Recorded, Subscription};
use uuid::Uuid;

use crate::given::*;

/// The numbers of the events that come, counted from the first of the log, up to one.
async fn numbers(store: &EventStore, subscription: &mut Subscription, until: usize) -> Vec<usize> {
    let last = place(store, until).await;
    let mut seen: Vec<Position> = Vec::new();
    while seen.last() != Some(&last) {
        let batch = subscription.next_batch(7).await.unwrap();
        assert!(!batch.is_empty() && batch.len() <= 7);
        seen.extend(batch.iter().map(|event| event.position));
    }
    let all = all(store).await;
    let number = |at: &Position| all.iter().position(|it| it.position == *at).unwrap() + 1;
    seen.iter().map(number).collect()
}

async fn appends(store: &EventStore, count: usize) {
    for _ in 0..count {
        store.append(one("a", Expected::Any)).await.unwrap();
    }
}

async fn from_the_start_everything_comes(store: EventStore) {
    appends(&store, 20).await;
    let seen = numbers(&store, &mut store.subscribe(Position::START), 20).await;
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

async fn from_the_middle_the_rest_comes(store: EventStore) {
    appends(&store, 20).await;
    let after = place(&store, 11).await;
    let seen = numbers(&store, &mut store.subscribe(after), 20).await;
    assert_eq!(seen, (12..=20).collect::<Vec<_>>());
}

async fn from_the_head_only_what_comes_later(store: EventStore) {
    appends(&store, 3).await;
    let mut subscription = store.subscribe(store.head().await.unwrap());
    appends(&store, 2).await;
    assert_eq!(numbers(&store, &mut subscription, 5).await, [4, 5]);
}

async fn a_waiting_subscriber_is_woken(store: EventStore) {
    let mut subscription = store.subscribe(Position::START);
    let waiting = tokio::spawn(async move { subscription.next_batch(10).await.unwrap() });
    tokio::task::yield_now().await;
    appends(&store, 1).await;
    assert_eq!(waiting.await.unwrap()[0].position, place(&store, 1).await);
}

async fn a_subscriber_waits_again_after_catching_up(store: EventStore) {
    let mut subscription = store.subscribe(Position::START);
    for round in 1..=10 {
        appends(&store, 1).await;
        assert_eq!(numbers(&store, &mut subscription, round).await, [round]);
    }
}

async fn a_subscriber_in_the_future_waits_for_its_place(store: EventStore) {
    appends(&store, 1).await;
    // The next event stands there or behind it.
    let future = Position::from_stored(store.head().await.unwrap().to_stored() + 1);
    let mut subscription = store.subscribe(future);
    let waiting = tokio::spawn(async move { subscription.next_batch(10).await.unwrap() });
    appends(&store, 3).await;
    let first = waiting.await.unwrap()[0].position;
    let behind = all(&store).await.into_iter().find(|event| event.position > future).unwrap();
    assert_eq!(first, behind.position);
}

async fn two_subscribers_see_the_same(store: EventStore) {
    let follow = |store: EventStore| {
        tokio::spawn(async move {
            let mut subscription = store.subscribe(Position::START);
            let mut seen = Vec::new();
            while seen.len() < 100 {
                seen.extend(subscription.next_batch(7).await.unwrap());
            }
            seen
        })
    };
    let (one, other) = (follow(store.clone()), follow(store.clone()));
    appends(&store, 100).await;
    let expected: Vec<usize> = (1..=100).collect();
    let whole = all(&store).await;
    assert_eq!(one.await.unwrap(), whole);
    assert_eq!(other.await.unwrap(), whole);

    // One of them far behind the other: what the first has taken is still there for the second.
    let (mut first, mut second) =
        (store.subscribe(Position::START), store.subscribe(Position::START));
    assert_eq!(numbers(&store, &mut first, 100).await, expected);
    appends(&store, 100).await;
    assert_eq!(numbers(&store, &mut second, 200).await, (1..=200).collect::<Vec<_>>());
    assert_eq!(numbers(&store, &mut first, 200).await, (101..=200).collect::<Vec<_>>());
}

async fn a_dropped_wait_loses_nothing(store: EventStore) {
    let mut subscription = store.subscribe(Position::START);
    {
        let waiting = subscription.next_batch(10);
        futures::pin_mut!(waiting);
        assert!(futures::poll!(waiting).is_pending());
    }
    appends(&store, 2).await;
    assert_eq!(numbers(&store, &mut subscription, 2).await, [1, 2]);
}

async fn a_limit_of_zero_still_moves_on(store: EventStore) {
    appends(&store, 2).await;
    let mut subscription = store.subscribe(Position::START);
    assert_eq!(subscription.next_batch(0).await.unwrap().len(), 1);
    assert_eq!(subscription.position(), place(&store, 1).await);
}

async fn an_append_is_visible_when_it_is_answered(store: EventStore) {
    for round in 1..=20 {
        let appended = store.append(one(round, at(0))).await.unwrap();
        let seen = store.watch_head();
        assert!(*seen.borrow() >= appended.position);
        assert!(store.read_at(appended.position).await.unwrap().is_some());
    }
}

/// Every field of an event is set by one of these.
fn varied(round: u32) -> Append {
    let metadata = Metadata {
        actor: Some(UserId::new(7)),
        organization: Some(OrganizationId::new(i64::from(round))),
        session: Some(SessionId::new(Uuid::from_u128(1))),
        request: Some(RequestId::new(Uuid::from_u128(2))),
        causation: Some(EventId::new(Uuid::from_u128(3))),
        correlation: Some(Uuid::from_u128(4)),
        client: Some(Sealed::from_bytes(vec![0, 1, 255])),
    };
    let parts = [
        part(format!("new-{round}"), at(0), &["one", "two"]),
        part("busy", Expected::Any, &["three", "four", "five"]),
        part(format!("loose-{round}"), Expected::Any, &["six"]),
    ];
    Append { metadata, ..append(parts) }
}

/// Follows to a position; what came must be exactly what the log holds there.
async fn follows_the_log(store: &EventStore, subscription: &mut Subscription, until: Position) {
    let after = subscription.position();
    let mut followed: Vec<Recorded> = Vec::new();
    while subscription.position() < until {
        followed.extend(subscription.next_batch(7).await.unwrap());
    }
    let log = store.read_all(after, followed.len()).await.unwrap();
    assert_eq!(followed, log);
}

async fn what_is_handed_over_equals_the_log(store: EventStore) {
    let mut subscription = store.subscribe(Position::START);
    let repeated = varied(100);
    store.append(repeated.clone()).await.unwrap();
    // At the same time, so that batches form, with conflicts and repeated commands among them.
    let appends = (0..30).flat_map(|round| [varied(round), varied(round), repeated.clone()]);
    let all = appends.map(|append| store.append(append));
    let done = futures::future::join_all(all).await;
    assert_eq!(done.iter().filter(|done| done.is_err()).count(), 30);
    let head = store.head().await.unwrap();
    assert_eq!(number(&store, head).await, 31 * 6);
    follows_the_log(&store, &mut subscription, head).await;
}

async fn who_starts_in_the_middle_or_comes_late_is_handed_the_same(store: EventStore) {
    let mut late = store.subscribe(Position::START);
    appends(&store, 20).await;
    let mut middle = store.subscribe(place(&store, 11).await);
    follows_the_log(&store, &mut middle, place(&store, 20).await).await;
    appends(&store, 20).await;
    let head = store.head().await.unwrap();
    follows_the_log(&store, &mut middle, head).await;
    follows_the_log(&store, &mut late, head).await;
}

contract![
    from_the_start_everything_comes,
    from_the_middle_the_rest_comes,
    from_the_head_only_what_comes_later,
    a_waiting_subscriber_is_woken,
    a_subscriber_waits_again_after_catching_up,
    a_subscriber_in_the_future_waits_for_its_place,
    two_subscribers_see_the_same,
    a_dropped_wait_loses_nothing,
    a_limit_of_zero_still_moves_on,
    an_append_is_visible_when_it_is_answered,
    what_is_handed_over_equals_the_log,
    who_starts_in_the_middle_or_comes_late_is_handed_the_same,
];
