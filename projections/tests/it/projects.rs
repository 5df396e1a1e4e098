//! Projects and environments.

use keynest_crypto::Subject;
use keynest_domain::environment::{Environment, EnvironmentDeleted, EnvironmentUpdated};
use keynest_domain::project::{Project, ProjectDeleted, ProjectUpdated};
use keynest_domain::{Aggregate, EnvironmentId, EnvironmentType, ProjectId, Role};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::*;

#[sqlx::test(migrations = false)]
async fn a_project_is_shown_with_what_surrounds_it(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let subject = Subject::Organization(ACME);
    let stream = Project::stream(SHOP);
    let name = world.seal(subject, stream.clone(), "project.updated", "name", "Store").await;
    let text = world.seal(subject, stream, "project.updated", "description", "Sells").await;
    let updated = ProjectUpdated { name, description: Some(text), is_renamed: true };
    world.by::<Project>(ANN, SHOP, updated).await;
    world.catch_up().await;
    let row = world.queries.project(BOB, SHOP).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.description.as_deref()), ("Store", Some("Sells")));
    assert_eq!((row.organization, row.organization_name.as_str()), (ACME, "Acme"));
    assert_eq!((row.created_by_name.as_str(), row.environment_count), ("Ann", 1));
    assert_eq!(row.role, Role::Viewer);
    let recorded = world.recorded(Project::stream(SHOP)).await;
    assert_eq!([row.created_at, row.updated_at], recorded[..]);
    assert_eq!(world.queries.project(EVE, SHOP).await.unwrap(), None);
}

#[sqlx::test(migrations = false)]
async fn lists_stay_within_the_callers_teams_and_the_filter(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    world.organization(HOME, EVE, "Home").await;
    world.joins(HOME, BOB, Role::Editor).await;
    let (garden, dev) = (ProjectId::new(22), EnvironmentId::new(32));
    world.project(garden, HOME, EVE, "Garden").await;
    world.environment(dev, (garden, HOME), EVE, "dev").await;
    world.catch_up().await;
    let queries = &world.queries;
    let projects = async |user, organization| {
        let listed = queries.list_projects(user, organization, FIRST).await.unwrap();
        assert_eq!(listed.total, u64::try_from(listed.items.len()).unwrap());
        listed.items.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(projects(BOB, None).await, [SHOP, garden]);
    assert_eq!(projects(BOB, Some(HOME)).await, [garden]);
    assert_eq!(projects(ANN, None).await, [SHOP]);
    assert_eq!(projects(ANN, Some(HOME)).await, []);
    let environments = async |user, project| {
        let listed = queries.list_environments(user, project, FIRST).await.unwrap();
        listed.items.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(environments(BOB, None).await, [PROD, dev]);
    assert_eq!(environments(BOB, Some(garden)).await, [dev]);
    assert_eq!(environments(EVE, Some(SHOP)).await, []);
    assert_eq!(queries.environment(ANN, dev).await.unwrap(), None);
}

#[sqlx::test(migrations = false)]
async fn an_environment_is_shown_with_what_surrounds_it(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    let created = world.created(PROD, 41, "KEY", "value").await;
    world.by::<Environment>(ANN, PROD, created).await;
    world.catch_up().await;
    let row = world.queries.environment(BOB, PROD).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.description.as_deref()), ("prod", Some("Careful")));
    assert_eq!((row.project, row.project_name.as_str(), row.organization), (SHOP, "Shop", ACME));
    assert_eq!((row.environment_type, row.variable_count), (EnvironmentType::Production, 1));
    assert_eq!((row.created_by_name.as_str(), row.role), ("Ann", Role::Viewer));

    let stream = Environment::stream(PROD);
    let subject = Subject::Organization(ACME);
    let name = world.seal(subject, stream, "environment.updated", "name", "live").await;
    let environment_type = EnvironmentType::Staging;
    let updated = EnvironmentUpdated { name, environment_type, description: None };
    world.by::<Environment>(ANN, PROD, updated).await;
    world.catch_up().await;
    let row = world.queries.environment(ANN, PROD).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.description), ("live", None));
    assert_eq!(row.environment_type, EnvironmentType::Staging);
}

#[sqlx::test(migrations = false)]
async fn deleting_a_parent_hides_its_children(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let other = EnvironmentId::new(32);
    world.environment(other, (SHOP, ACME), ANN, "dev").await;
    world.by::<Environment>(ANN, other, EnvironmentDeleted {}).await;
    world.catch_up().await;
    assert_eq!(world.queries.environment(ANN, other).await.unwrap(), None);
    assert_eq!(world.queries.project(ANN, SHOP).await.unwrap().unwrap().environment_count, 1);
    world.by::<Project>(ANN, SHOP, ProjectDeleted {}).await;
    world.catch_up().await;
    assert_eq!(world.queries.project(ANN, SHOP).await.unwrap(), None);
    assert_eq!(world.queries.environment(ANN, PROD).await.unwrap(), None);
    assert_eq!(world.queries.organization(ANN, ACME).await.unwrap().unwrap().project_count, 0);
}
