//! Who sees which rows of the audit log.

use keynest_domain::login::{Login, LoginFailed};
use keynest_domain::organization::{
    MemberRemoved, MemberRoleChanged, Organization, OrganizationDeleted,
};
use keynest_domain::refusals::{AccessRefused, Refusals, Scope};
use keynest_domain::{LoginId, Role, UserId};
use keynest_projections::{AuditFilter, AuditRow, Page};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::world::*;

const ALL: Page = Page { number: 1, size: 1_000 };

async fn seen(world: &World, user: UserId, filter: &AuditFilter) -> Vec<AuditRow> {
    let listed = world.queries.list_audit(user, filter, ALL).await.unwrap();
    assert_eq!(listed.total, u64::try_from(listed.items.len()).unwrap());
    assert!(listed.items.is_sorted_by(|newer, older| newer.timestamp >= older.timestamp));
    let mut ids: Vec<i64> = listed.items.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), listed.items.len(), "a row is listed twice");
    assert!(ids.iter().all(|id| (0..=keynest_domain::ID_MAX).contains(id)));
    listed.items
}

fn actions(rows: &[AuditRow]) -> Vec<(&str, &str)> {
    rows.iter().map(|row| (row.action.as_str(), row.target_type.as_str())).collect()
}

#[sqlx::test(migrations = false)]
async fn d03_no_row_of_another_organization(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.organization(HOME, EVE, "Home").await;
    world.catch_up().await;
    let anyone = AuditFilter::default();
    for row in seen(&world, EVE, &anyone).await {
        assert!(row.organization == Some(HOME) || row.actor == Some(EVE), "{row:?}");
    }
    let of_acme = AuditFilter { organization: Some(ACME), ..AuditFilter::default() };
    assert_eq!(seen(&world, EVE, &of_acme).await, []);
    assert_eq!(seen(&world, ANN, &of_acme).await.len(), 5);
}

#[sqlx::test(migrations = false)]
async fn d17_a_colleagues_deeds_elsewhere_stay_elsewhere(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.acme().await;
    // Ann and Bob share two teams; Bob alone has a third one.
    let shared = keynest_domain::OrganizationId::new(13);
    world.organization(shared, ANN, "Shared").await;
    world.joins(shared, BOB, Role::Editor).await;
    world.organization(HOME, BOB, "Home").await;
    world.catch_up().await;
    let rows = seen(&world, ANN, &AuditFilter::default()).await;
    assert!(rows.iter().all(|row| row.organization != Some(HOME)));
    let foreign_accounts = |row: &&AuditRow| row.organization.is_none() && row.actor != Some(ANN);
    assert_eq!(rows.iter().filter(foreign_accounts).count(), 0);
    // 5 of Acme, 3 of Shared, 2 of her own account.
    assert_eq!(rows.len(), 10);
}

#[sqlx::test(migrations = false)]
async fn a_viewer_sees_only_own_deeds(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let refused = AccessRefused { route: "GET /".into(), object: None, code: "x".into(), count: 1 };
    world.by::<Refusals>(BOB, Scope::Organization(ACME), refused).await;
    world.catch_up().await;
    let of_acme = AuditFilter { organization: Some(ACME), ..AuditFilter::default() };
    let rows = seen(&world, BOB, &of_acme).await;
    assert_eq!(actions(&rows), [("refused", "request"), ("create", "membership")]);
    let promoted = MemberRoleChanged { user: BOB, from: Role::Viewer, to: Role::Editor };
    world.by::<Organization>(ANN, ACME, promoted).await;
    world.catch_up().await;
    assert_eq!(seen(&world, BOB, &of_acme).await.len(), 7);
    world.by::<Organization>(ANN, ACME, MemberRemoved { user: BOB, role: Role::Editor }).await;
    world.catch_up().await;
    assert_eq!(seen(&world, BOB, &of_acme).await, []);
}

#[sqlx::test(migrations = false)]
async fn a_deleted_organization_has_no_auditors(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.by::<Organization>(ANN, ACME, OrganizationDeleted {}).await;
    world.catch_up().await;
    let of_acme = AuditFilter { organization: Some(ACME), ..AuditFilter::default() };
    let rows = seen(&world, ANN, &of_acme).await;
    assert!(rows.iter().all(|row| row.actor == Some(ANN)));
    assert_eq!(rows.len(), 5);
    assert_eq!(seen(&world, BOB, &of_acme).await.len(), 1);
    assert_eq!(seen(&world, EVE, &of_acme).await.len(), 0);
}

#[sqlx::test(migrations = false)]
async fn guesses_at_an_account_are_seen_by_its_owner(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let login = LoginId::new(Uuid::from_u128(9));
    world.happens::<Login>(login, LoginFailed { user: Some(BOB), at: at(9) }).await;
    world.catch_up().await;
    let failed = AuditFilter { actions: vec!["login_failed".into()], ..AuditFilter::default() };
    let rows = seen(&world, BOB, &failed).await;
    assert_eq!((rows.len(), rows[0].actor, rows[0].outcome.as_str()), (1, None, "failed"));
    assert_eq!(seen(&world, ANN, &failed).await, []);
}

#[sqlx::test(migrations = false)]
async fn filters_narrow_and_pages_count(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.catch_up().await;
    let all = seen(&world, ANN, &AuditFilter::default()).await;
    assert_eq!(all.len(), 7);
    let count = async |filter: AuditFilter| seen(&world, ANN, &filter).await.len();
    let any = AuditFilter::default;
    assert_eq!(count(AuditFilter { actor: Some(BOB), ..any() }).await, 1);
    assert_eq!(count(AuditFilter { target_type: Some("project".into()), ..any() }).await, 1);
    assert_eq!(count(AuditFilter { target_id: Some("31".into()), ..any() }).await, 1);
    let either = vec!["register".to_owned(), "activate".to_owned()];
    assert_eq!(count(AuditFilter { actions: either, ..any() }).await, 2);
    let middle = Some(all[3].timestamp);
    let (newer, older) = (all[..4].to_vec(), all[4..].to_vec());
    assert_eq!(seen(&world, ANN, &AuditFilter { from: middle, ..any() }).await, newer);
    assert_eq!(seen(&world, ANN, &AuditFilter { to: middle, ..any() }).await, older);
    let page = world.queries.list_audit(ANN, &any(), Page::new(2, 3)).await.unwrap();
    assert_eq!((page.total, page.items), (7, all[3..6].to_vec()));
    let behind = world.queries.list_audit(ANN, &any(), Page::new(4, 3)).await.unwrap();
    assert_eq!((behind.total, behind.items.len()), (7, 0));
}

#[sqlx::test(migrations = false)]
async fn only_the_newest_thousand_rows_are_listed(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let mut events = Vec::new();
    for number in 0..1_005 {
        events.push(world.created(PROD, 1_000 + number, &format!("K{number}"), "v").await);
    }
    let stream = keynest_domain::StreamName::new("environment", PROD);
    world.append(stream, Default::default(), events).await;
    world.catch_up().await;
    let rows = seen(&world, ANN, &AuditFilter::default()).await;
    assert_eq!(rows.len(), 1_000);
    assert_eq!(rows[0].details["key"], "K1004");
}
