//! Variables: values stay sealed, keys unique, history complete.

use keynest_domain::environment::*;
use keynest_domain::{Aggregate, EnvironmentId, Role, VariableId, VariableKey};
use keynest_projections::{Page, value_context};
use keynest_store::Metadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::*;

fn key(text: &str) -> VariableKey {
    VariableKey::parse(text).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_variable_carries_what_a_reveal_needs(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let id = VariableId::new(41);
    let events = [
        world.created(PROD, 41, "KEY", "one").await,
        world.changed(PROD, 41, 2, "two").await,
        world.changed(PROD, 41, 3, "three").await,
        VariableRenamed { variable: id, from: key("KEY"), to: key("NAME") }.into(),
    ];
    for event in events {
        world.by::<Environment>(BOB, PROD, event).await;
    }
    world.catch_up().await;
    let row = world.queries.variable(BOB, id).await.unwrap().unwrap();
    assert_eq!((row.key.as_str(), row.version, row.role), ("NAME", 3, Role::Viewer));
    assert_eq!((row.organization, row.organization_revision.get()), (ACME, 3));
    assert_eq!((row.environment, row.environment_name.as_str()), (PROD, "prod"));
    assert_eq!((row.project, row.project_name.as_str()), (SHOP, "Shop"));
    assert_eq!(row.created_by_name, "Ann");
    let recorded = world.recorded(Environment::stream(PROD)).await;
    assert_eq!((row.created_at, row.updated_at), (recorded[1], recorded[4]));
    let context = value_context(row.environment, row.id, row.version);
    let opened = world.keyring.open(&context, &row.value).await.unwrap().unwrap();
    assert_eq!(&**opened, b"three");
    assert_eq!(world.queries.variable(EVE, id).await.unwrap(), None);
    let history: Vec<(i32, Option<i64>)> = sqlx::query_as(
        "select version, creator_id from variable_versions where variable_id = 41 order by version limit 9",
    )
    .fetch_all(&world.read)
    .await
    .unwrap();
    let (ann, bob) = (Some(ANN.get()), Some(BOB.get()));
    assert_eq!(history, [(1, ann), (2, bob), (3, bob)]);
}

#[sqlx::test(migrations = false)]
async fn an_import_is_as_good_as_one_by_one(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let mut events = vec![
        VariablesImported {
            format: keynest_domain::FileFormat::Env,
            created: 999,
            changed: 1,
            overwrite: true,
        }
        .into(),
        world.created(PROD, 1_000, "K0", "old").await,
    ];
    events.push(world.changed(PROD, 1_000, 2, "new").await);
    for number in 1..1_000 {
        events.push(world.created(PROD, 1_000 + number, &format!("K{number}"), "v").await);
    }
    world.append(Environment::stream(PROD), Metadata::default(), events).await;
    world.catch_up().await;
    let export = world.queries.export(BOB, PROD).await.unwrap().unwrap();
    assert_eq!(export.variables.len(), 1_000);
    let keys: Vec<&str> = export.variables.iter().map(|variable| variable.key.as_str()).collect();
    assert!(keys.is_sorted());
    assert_eq!((keys[0], export.variables[0].version), ("K0", 2));
    assert_eq!((export.role, export.organization_revision.get()), (Role::Viewer, 3));
    assert_eq!((export.project_name.as_str(), export.environment_name.as_str()), ("Shop", "prod"));
    let page = Page::new(2, 300);
    let listed = world.queries.list_variables(BOB, Some(PROD), page).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (1_000, 300));
    assert_eq!(listed.items[0].key, keys[300]);
    assert_eq!(world.queries.list_variables(BOB, None, page).await.unwrap(), listed);
}

#[sqlx::test(migrations = false)]
async fn a_key_is_free_again_after_a_rename_or_a_deletion(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    let variable = |id| VariableId::new(id);
    let events = vec![
        world.created(PROD, 41, "A", "a").await,
        VariableRenamed { variable: variable(41), from: key("A"), to: key("B") }.into(),
        world.created(PROD, 42, "A", "a").await,
        VariableDeleted { variable: variable(41), key: key("B") }.into(),
        world.created(PROD, 43, "B", "b").await,
    ];
    world.append(Environment::stream(PROD), Metadata::default(), events).await;
    world.catch_up().await;
    let listed = world.queries.list_variables(ANN, Some(PROD), FIRST).await.unwrap();
    let rows: Vec<_> = listed.items.iter().map(|row| (row.key.as_str(), row.id.get())).collect();
    assert_eq!(rows, [("A", 42), ("B", 43)]);
    assert!(world.projections.status().await.unwrap().iter().all(|it| it.parked.is_empty()));
}

#[sqlx::test(migrations = false)]
async fn a_deleted_environment_takes_its_values_along(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let dev = EnvironmentId::new(32);
    world.environment(dev, (SHOP, ACME), ANN, "dev").await;
    let (gone, kept) =
        (world.created(PROD, 41, "K", "v").await, world.created(dev, 42, "K", "v").await);
    world.by::<Environment>(ANN, PROD, gone).await;
    world.by::<Environment>(ANN, dev, kept).await;
    world.by::<Environment>(ANN, PROD, EnvironmentDeleted {}).await;
    world.catch_up().await;
    assert_eq!(world.queries.export(ANN, PROD).await.unwrap(), None);
    assert_eq!(world.queries.export(ANN, dev).await.unwrap().unwrap().variables.len(), 1);
    let left: Vec<(i64,)> =
        sqlx::query_as("select variable_id from variable_versions order by 1 limit 9")
            .fetch_all(&world.read)
            .await
            .unwrap();
    assert_eq!(left, [(42,)]);
}

#[sqlx::test(migrations = false)]
async fn an_empty_environment_is_not_a_foreign_one(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.catch_up().await;
    let export = world.queries.export(ANN, PROD).await.unwrap().unwrap();
    assert_eq!((export.variables.len(), export.role), (0, Role::Admin));
    assert_eq!(world.queries.export(EVE, PROD).await.unwrap(), None);
    assert_eq!(world.queries.list_variables(ANN, Some(PROD), FIRST).await.unwrap().total, 0);
}
