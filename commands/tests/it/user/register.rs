//! Registration: neutral, unique, with a personal organization.

use std::sync::Arc;

use keynest_commands::CommandError;
use keynest_domain::Lifetime;
use keynest_domain::user::Standing;

use crate::world::{PASSWORD, World, in_parallel};

#[tokio::test]
async fn an_account_comes_with_a_personal_organization_in_one_append() {
    let world = World::new().await;
    world.register("ann").await.unwrap();
    let expected = ["user.registered", "organization.created", "organization.member_joined"];
    assert_eq!(world.log().await, expected);
    let user = world.id_of("ann").await.unwrap();
    assert_eq!(world.user(user).await.standing, Standing::Inactive);
}

#[tokio::test]
async fn a_taken_address_is_told_to_its_owner_alone() {
    let world = World::new().await;
    world.active("ann").await;
    world.register_as("ann", "somebody", PASSWORD).await.unwrap();
    world.register_as("ann", "somebody_else", PASSWORD).await.unwrap();
    assert_eq!(world.count("user.registered").await, 1);
    assert_eq!(world.count("user.registration_repeated").await, 1);
    world.clock.advance(Lifetime::from_hours(1));
    world.register_as("ann", "somebody", PASSWORD).await.unwrap();
    assert_eq!(world.count("user.registration_repeated").await, 2);
}

#[tokio::test]
async fn a_taken_username_says_the_same_for_taken_and_free_addresses() {
    let world = World::new().await;
    world.active("ann").await;
    for local in ["ann", "bob"] {
        let refused = world.register_as(local, "ann", PASSWORD).await;
        assert!(matches!(refused, Err(CommandError::Field { field: "username", .. })), "{local}");
    }
    world.register_as("bob", "Ann", PASSWORD).await.expect("usernames are case-sensitive");
}

#[tokio::test]
async fn of_64_registrations_of_one_address_one_makes_an_account() {
    let world = Arc::new(World::new().await);
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |n| {
        let world = Arc::clone(&shared);
        async move { world.register_as("ann", &format!("ann_{n}"), PASSWORD).await }
    });
    assert!(answers.await.iter().all(Result::is_ok));
    assert_eq!(world.count("user.registered").await, 1);
    assert_eq!(world.count("user.activation_requested").await, 1);
}

#[tokio::test]
async fn of_64_registrations_of_one_username_one_makes_an_account() {
    let world = Arc::new(World::new().await);
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |n| {
        let world = Arc::clone(&shared);
        async move { world.register_as(&format!("ann{n}"), "ann", PASSWORD).await }
    });
    assert_eq!(answers.await.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(world.count("user.registered").await, 1);
}
