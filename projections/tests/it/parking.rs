//! Events that cannot become rows: their streams are left behind, everything else goes on.

use keynest_domain::project::{Project, ProjectUpdated};
use keynest_domain::user::{User, UserActivated};
use keynest_domain::{Aggregate, CommandId, ProjectId, Sealed, StreamName};
use keynest_projections::ProjectionStatus;
use keynest_store::{Append, Expected, Metadata, NewEvent, StreamAppend};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::*;

const LONG: std::time::Duration = std::time::Duration::from_secs(60);

async fn append_raw(
    world: &World,
    stream: StreamName,
    name: &str,
    version: u16,
    data: &'static str,
) {
    let event = NewEvent { name: name.into(), version, data: data.into() };
    let stream = StreamAppend { stream, expected: Expected::Any, events: vec![event] };
    let append = Append {
        command_id: CommandId::new(Uuid::from_u128(u128::MAX)),
        streams: vec![stream],
        checks: vec![],
        claims: vec![],
        releases: vec![],
        metadata: Metadata::default(),
    };
    world.store.append(append).await.unwrap();
}

async fn status(world: &World, name: &str) -> ProjectionStatus {
    let all = world.projections.status().await.unwrap();
    all.into_iter().find(|status| status.name == name).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_failing_event_parks_its_stream_and_no_other(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    let other = ProjectId::new(22);
    let poison = ProjectUpdated {
        name: Sealed::from_bytes(b"secret canary".to_vec()),
        description: None,
        is_renamed: true,
    };
    world.by::<Project>(ANN, SHOP, poison).await;
    world.project(other, ACME, ANN, "Other").await;
    world.by::<Project>(ANN, SHOP, keynest_domain::project::ProjectDeleted {}).await;
    world.catch_up().await;
    let queries = &world.queries;
    // What was there stays there: nothing behind the failing event is applied to it.
    assert_eq!(queries.project(ANN, SHOP).await.unwrap().unwrap().name, "Shop");
    assert_eq!(queries.project(ANN, other).await.unwrap().unwrap().name, "Other");
    let projects = status(&world, "projects").await;
    assert_eq!((projects.parked.len(), projects.events_behind), (1, 0));
    assert!(projects.needs_rebuild());
    let parked = &projects.parked[0];
    assert_eq!(parked.stream, Project::stream(SHOP));
    assert!(!parked.error.contains("canary"), "{}", parked.error);
    assert_eq!(status(&world, "environments").await.parked, []);
    // A rebuild that meets the same event parks it again, and nothing else.
    world.projections.rebuild("projects", &|_| ()).await.unwrap();
    assert_eq!(status(&world, "projects").await.parked, projects.parked);
    assert_eq!(queries.project(ANN, other).await.unwrap().unwrap().name, "Other");
}

#[sqlx::test(migrations = false)]
async fn a_parked_stream_stays_parked_after_a_restart(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    // Activated without having been registered.
    world.happens::<User>(ANN, UserActivated { at: at(0) }).await;
    world.catch_up().await;
    world.register(ANN, "Ann").await;
    world.register(BOB, "Bob").await;
    world.catch_up().await;
    assert_eq!(world.queries.user(ANN).await.unwrap(), None);
    assert_eq!(world.queries.user(BOB).await.unwrap().unwrap().full_name, "Bob");
    let users = status(&world, "users").await;
    assert_eq!((users.parked.len(), &users.parked[0].stream), (1, &User::stream(ANN)));
}

#[sqlx::test(migrations = false)]
async fn an_event_of_a_newer_binary_parks_where_its_stream_is_read(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    append_raw(&world, Project::stream(SHOP), "project.archived", 1, "{}").await;
    world.catch_up().await;
    for (name, parked) in [("projects", 1), ("audit_log", 1), ("environments", 0), ("users", 0)] {
        assert_eq!(status(&world, name).await.parked.len(), parked, "{name}");
    }
    let error = status(&world, "projects").await.parked.remove(0).error;
    assert_eq!(error, "event project.archived v1 is not known to this binary");
}

#[sqlx::test(migrations = false)]
async fn a_payload_that_is_not_what_it_says_parks(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    append_raw(&world, User::stream(BOB), "user.activated", 1, r#"{"at":"canary"}"#).await;
    world.signs_in(EVE, session(5), at(77)).await;
    world.catch_up().await;
    let users = status(&world, "users").await;
    assert_eq!(users.parked.len(), 1);
    assert!(!users.parked[0].error.contains("canary"));
    assert_eq!(world.queries.user(EVE).await.unwrap().unwrap().last_login, Some(at(77)));
}

#[sqlx::test(migrations = false)]
async fn a_rebuild_takes_a_parked_stream_up_again_and_so_does_the_live_runner(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    let plant = "insert into users (id, standing, date_joined) values (1, 'active', now())";
    sqlx::query(plant).execute(&world.read).await.unwrap();
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    world.register(ANN, "Ann").await;
    let visibility = world.projections.visibility();
    let head = world.store.head().await.unwrap();
    assert!(visibility.wait_for(head, &["users"], LONG).await);
    assert_eq!(status(&world, "users").await.parked.len(), 1);
    world.projections.rebuild("users", &|_| ()).await.unwrap();
    assert_eq!(status(&world, "users").await.parked, []);
    // The runner still has the stream in mind; its position is the one that the rebuild came to.
    let head = world.happens::<User>(ANN, UserActivated { at: at(1) }).await;
    assert!(visibility.wait_for(head, &["users"], LONG).await);
    let row = world.queries.user(ANN).await.unwrap().unwrap();
    assert_eq!((row.full_name.as_str(), row.is_active()), ("Ann", true));
    stop.cancel();
    running.wait().await;
}
