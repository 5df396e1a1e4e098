//! Sign-ins and their ends.

use keynest_domain::session::{EndReason, Lifetimes, Session, SessionEnded, SessionRefreshed};
use keynest_domain::user::{PasswordChanged, PasswordReset, User};
use keynest_domain::{KeyId, Sealed, SessionId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::world::*;

fn password() -> Sealed {
    Sealed::from_bytes(vec![1])
}

async fn reason(world: &World, session: SessionId) -> Option<String> {
    world.queries.session(session).await.unwrap().unwrap().end_reason
}

#[sqlx::test(migrations = false)]
async fn a_session_ends_once(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    let id = session(1);
    world.signs_in(ANN, id, at(0)).await;
    let refresh_key = KeyId::new(Uuid::nil());
    let refreshed = SessionRefreshed { generation: 1, refresh_key, at: at(60) };
    world.happens::<Session>(id, refreshed).await;
    world.catch_up().await;
    let row = world.queries.session(id).await.unwrap().unwrap();
    assert_eq!(
        (row.user, row.generation, row.started_at, row.last_used_at),
        (ANN, 1, at(0), at(60))
    );
    assert_eq!((row.ended_at, row.end_reason), (None, None));

    let ended = |reason| SessionEnded { session: id, user: ANN, reason };
    world.happens::<Session>(id, ended(EndReason::SignedOut)).await;
    world.happens::<Session>(id, ended(EndReason::Expired)).await;
    world.catch_up().await;
    assert_eq!(reason(&world, id).await.as_deref(), Some("signed_out"));
    let ended_at = world.queries.session(id).await.unwrap().unwrap().ended_at.unwrap();
    let since = world.queries.ended_since(ended_at).await.unwrap();
    assert_eq!(since.iter().map(|ended| ended.session).collect::<Vec<_>>(), [id]);
    let later = keynest_domain::Timestamp::from_micros(ended_at.micros() + 1);
    assert_eq!(world.queries.ended_since(later).await.unwrap(), []);
}

#[sqlx::test(migrations = false)]
async fn of_many_refreshes_at_once_the_last_of_each_session_stands(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    let (laptop, phone) = (session(1), session(2));
    for id in [laptop, phone] {
        world.signs_in(ANN, id, at(0)).await;
    }
    let refresh_key = KeyId::new(Uuid::nil());
    for (id, generation, seconds) in [(laptop, 1, 60), (phone, 1, 70), (laptop, 2, 80)] {
        let refreshed = SessionRefreshed { generation, refresh_key, at: at(seconds) };
        world.happens::<Session>(id, refreshed).await;
    }
    world.catch_up().await;
    for (id, generation, seconds) in [(laptop, 2, 80), (phone, 1, 70)] {
        let row = world.queries.session(id).await.unwrap().unwrap();
        assert_eq!((row.generation, row.last_used_at), (generation, at(seconds)));
    }
}

#[sqlx::test(migrations = false)]
async fn new_credentials_end_every_other_session(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    for number in 1..=3 {
        world.signs_in(ANN, session(number), at(0)).await;
    }
    world.signs_in(BOB, session(4), at(0)).await;
    let kept = Some(session(2));
    let changed = PasswordChanged { password: password(), kept, epoch: 1, at: at(1) };
    world.happens::<User>(ANN, changed).await;
    world.catch_up().await;
    let ended = Some("credentials_changed".to_owned());
    assert_eq!(reason(&world, session(1)).await, ended);
    assert_eq!(reason(&world, session(2)).await, None);
    assert_eq!(reason(&world, session(3)).await, ended);
    assert_eq!(reason(&world, session(4)).await, None);

    world.happens::<User>(ANN, PasswordReset { password: password(), epoch: 2, at: at(2) }).await;
    // It read the account before the reset and was appended after it.
    world.signs_in(ANN, session(5), at(2)).await;
    world.catch_up().await;
    assert_eq!(reason(&world, session(2)).await, ended);
    assert_eq!(reason(&world, session(5)).await, ended);
}

#[sqlx::test(migrations = false)]
async fn sessions_are_due_after_their_idle_or_absolute_lifetime(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    const DAY: i64 = 86_400;
    let world = World::new(options).await;
    world.signs_in(ANN, session(1), at(0)).await;
    world.signs_in(ANN, session(2), at(0)).await;
    let refresh_key = KeyId::new(Uuid::nil());
    let refreshed = SessionRefreshed { generation: 1, refresh_key, at: at(29 * DAY) };
    world.happens::<Session>(session(2), refreshed).await;
    world.catch_up().await;
    let due = async |now| {
        world.queries.expired_sessions(&Lifetimes::default(), at(now), 10).await.unwrap()
    };
    assert_eq!(due(7 * DAY - 1).await, []);
    assert_eq!(due(7 * DAY).await, [session(1)]);
    assert_eq!(due(30 * DAY - 1).await, [session(1)]);
    assert_eq!(due(30 * DAY).await, [session(1), session(2)]);
}
