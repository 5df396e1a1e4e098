//! What an operator sees of a projection that is held back.

use keynest_domain::project::{Project, ProjectUpdated};
use keynest_domain::{ProjectId, Role, Sealed};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::world::*;

const LONG: std::time::Duration = std::time::Duration::from_secs(60);

/// A gauge of one projection.
fn gauge(handle: &PrometheusHandle, name: &str, projection: &str) -> Option<f64> {
    let start = format!("{name}{{projection=\"{projection}\"}} ");
    handle.render().lines().find_map(|line| line.strip_prefix(start.as_str()))?.parse().ok()
}

async fn until(handle: &PrometheusHandle, projection: &str, events: f64) {
    while gauge(handle, "keynest_projection_lag_events", projection) != Some(events) {
        tokio::task::yield_now().await;
    }
}

async fn events_behind(world: &World, name: &str) -> u64 {
    let all = world.projections.status().await.unwrap();
    all.into_iter().find(|status| status.name == name).unwrap().events_behind
}

#[sqlx::test(migrations = false)]
async fn the_lag_of_a_held_back_projection_is_what_the_log_has_behind_it(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let handle = recorder.handle();
    let world = World::durable(options).await;
    world.acme().await;
    let stop = CancellationToken::new();
    let running = world.projections.start(&stop);
    let projection = keynest_projections::names::PROJECTS;

    // A stream is parked by an event that cannot become a row: it holds nothing else back.
    let poison = ProjectUpdated {
        name: Sealed::from_bytes(b"poison".to_vec()),
        description: None,
        is_renamed: true,
    };
    let parked = world.by::<Project>(ANN, SHOP, poison).await;
    assert!(world.projections.visibility().wait_for(parked, &[projection], LONG).await);
    until(&handle, projection, 0.0).await;
    assert_eq!(gauge(&handle, "keynest_projection_parked_streams", projection), Some(1.0));
    assert_eq!(events_behind(&world, projection).await, 0);

    // Its table is locked: the batch in hand cannot go on, and the log does.
    let mut blocker = world.read.begin().await.unwrap();
    blocker.execute("lock table projects in access exclusive mode").await.unwrap();
    world.joins(ACME, EVE, Role::Viewer).await; // none of its business
    world.project(ProjectId::new(22), ACME, ANN, "Held back").await;
    world.organization(HOME, EVE, "Home").await; // two more events
    until(&handle, projection, 3.0).await;
    assert_eq!(events_behind(&world, projection).await, 3);
    until(&handle, keynest_projections::names::ORGANIZATIONS, 0.0).await;
    assert!(gauge(&handle, "keynest_projection_lag_seconds", projection).is_some());
    blocker.rollback().await.unwrap();
    until(&handle, projection, 0.0).await;
    assert_eq!(events_behind(&world, projection).await, 0);
    assert_eq!(gauge(&handle, "keynest_projection_lag_seconds", projection), Some(0.0));
    stop.cancel();
    running.wait().await;
}
