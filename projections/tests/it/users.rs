//! Accounts and profiles.

use keynest_crypto::Subject;
use keynest_domain::user::{
    AdministratorGranted, AdministratorRevoked, NoticesSwitched, ProfileUpdated, User,
    UserDeactivated, UserReactivated,
};
use keynest_domain::{Aggregate, Role, UserId};
use keynest_projections::{Page, UserStanding};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::world::*;

#[sqlx::test(migrations = false)]
async fn an_account_is_shown_as_its_events_say(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.register(ANN, "Ann").await;
    world.catch_up().await;
    let row = world.queries.user(ANN).await.unwrap().unwrap();
    assert_eq!((row.username.as_str(), row.email.as_str()), ("ann", "ann@example.com"));
    assert_eq!((row.full_name.as_str(), row.standing), ("Ann", UserStanding::Inactive));
    assert_eq!((row.date_joined, row.last_login, row.refuses_notices), (at(0), None, false));

    let activated = keynest_domain::user::UserActivated { at: at(1) };
    world.happens::<User>(ANN, activated).await;
    world.signs_in(ANN, session(1), at(60)).await;
    let sealed = async |field, text| {
        let subject = Subject::User(ANN);
        world.seal(subject, User::stream(ANN), "user.profile_updated", field, text).await
    };
    let (first_name, last_name) =
        (sealed("first_name", "Anna").await, sealed("last_name", "Lee").await);
    world.by::<User>(ANN, ANN, ProfileUpdated { first_name, last_name }).await;
    world.by::<User>(ANN, ANN, NoticesSwitched { wanted: false }).await;
    world.catch_up().await;
    let row = world.queries.user(ANN).await.unwrap().unwrap();
    assert_eq!(row.full_name, "Anna Lee");
    assert_eq!((row.is_active(), row.last_login, row.refuses_notices), (true, Some(at(60)), true));
}

#[sqlx::test(migrations = false)]
async fn administering_the_instance_comes_and_goes(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    let administers = async |user: UserId| {
        world.catch_up().await;
        let profile = world.queries.profile(user).await.unwrap().unwrap();
        let row = world.queries.user(user).await.unwrap().unwrap();
        assert_eq!(row.is_administrator, profile.user.is_administrator);
        row.is_administrator
    };
    world.happens::<User>(ANN, AdministratorGranted {}).await;
    assert_eq!((administers(ANN).await, administers(BOB).await), (true, false));
    world.happens::<User>(ANN, AdministratorRevoked {}).await;
    assert!(!administers(ANN).await);
}

#[sqlx::test(migrations = false)]
async fn a_reopened_account_stands_where_it_stood(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    world.register(BOB, "Bob").await;
    for user in [ANN, BOB] {
        world.happens::<User>(user, UserDeactivated { epoch: 1 }).await;
    }
    world.catch_up().await;
    let standing = async |user: UserId| world.queries.user(user).await.unwrap().unwrap().standing;
    assert_eq!(standing(ANN).await, UserStanding::Deactivated);
    for user in [ANN, BOB] {
        world.happens::<User>(user, UserReactivated {}).await;
    }
    world.catch_up().await;
    assert_eq!(standing(ANN).await, UserStanding::Active);
    assert_eq!(standing(BOB).await, UserStanding::Inactive);
}

#[sqlx::test(migrations = false)]
async fn a_destroyed_key_leaves_an_account_without_personal_data(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let world = World::new(options).await;
    world.person(ANN, "Ann").await;
    world.keyring.destroy(Subject::User(ANN)).await.unwrap();
    world.catch_up().await;
    let row = world.queries.user(ANN).await.unwrap().unwrap();
    assert_eq!((row.username, row.email, row.full_name), Default::default());
}

#[sqlx::test(migrations = false)]
async fn a_profile_has_the_teams_of_its_person_alone(_: PgPoolOptions, options: PgConnectOptions) {
    let world = World::new(options).await;
    world.acme().await;
    world.organization(HOME, BOB, "Home").await;
    world.catch_up().await;
    let teams = async |user: UserId| {
        let profile = world.queries.profile(user).await.unwrap().unwrap();
        assert_eq!(profile.user.id, user);
        let teams = profile.organizations.into_iter();
        teams.map(|team| (team.id, team.name, team.role)).collect::<Vec<_>>()
    };
    assert_eq!(teams(ANN).await, [(ACME, "Acme".to_owned(), Role::Admin)]);
    let both = [(ACME, "Acme".to_owned(), Role::Viewer), (HOME, "Home".to_owned(), Role::Admin)];
    assert_eq!(teams(BOB).await, both);
    assert_eq!(teams(EVE).await, []);
    assert_eq!(world.queries.profile(UserId::new(99)).await.unwrap(), None);
    let all = world.queries.list_users(Page::new(2, 2)).await.unwrap();
    assert_eq!((all.total, all.items.len(), all.items[0].id), (3, 1, EVE));
}
