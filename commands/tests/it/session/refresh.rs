//! Rotation, parallel use, theft, sign-out.

use std::collections::HashSet;
use std::sync::Arc;

use keynest_commands::CommandError;
use keynest_domain::session::Rejection;
use keynest_domain::{Lifetime, session};
use secrecy::ExposeSecret;

use crate::world::{PASSWORD, World, in_parallel};

fn why<T>(answer: Result<T, CommandError>) -> Rejection {
    match answer.err() {
        Some(CommandError::Session(why)) => why,
        other => panic!("not refused by the session: {other:?}"),
    }
}

#[tokio::test]
async fn of_64_parallel_refreshes_all_get_the_same_successor() {
    let world = Arc::new(World::new().await);
    world.active("ann").await;
    let first = world.log_in("ann", PASSWORD).await.unwrap().refresh.expose_secret().to_owned();
    let (shared, token) = (Arc::clone(&world), first.clone());
    let answers = in_parallel(move |_| {
        let (world, token) = (Arc::clone(&shared), token.clone());
        async move { world.refresh(&token).await.unwrap().refresh.expose_secret().to_owned() }
    });
    let successors: HashSet<String> = answers.await.into_iter().collect();
    assert_eq!(successors.len(), 1);
    assert!(!successors.contains(&first));
    assert_eq!(world.count("session.refreshed").await, 1);
}

#[tokio::test]
async fn an_old_token_ends_its_session() {
    let world = World::new().await;
    world.active("ann").await;
    let first = world.log_in("ann", PASSWORD).await.unwrap();
    let second = world.refresh(first.refresh.expose_secret()).await.unwrap();
    let third = world.refresh(second.refresh.expose_secret()).await.unwrap();
    world.clock.advance(session::GRACE);
    assert_eq!(why(world.refresh(first.refresh.expose_secret()).await), Rejection::Reused);
    assert_eq!(why(world.refresh(third.refresh.expose_secret()).await), Rejection::Ended);
    assert_eq!(world.count("session.refresh_token_reuse_detected").await, 1);
    assert_eq!(world.count("session.ended").await, 1);
}

#[tokio::test]
async fn the_previous_token_answers_with_its_own_successor() {
    let world = World::new().await;
    world.active("ann").await;
    let first = world.log_in("ann", PASSWORD).await.unwrap();
    let second = world.refresh(first.refresh.expose_secret()).await.unwrap();
    world.clock.advance(Lifetime::from_minutes(59));
    let again = world.refresh(first.refresh.expose_secret()).await.unwrap();
    assert_eq!(again.refresh.expose_secret(), second.refresh.expose_secret());
    world.refresh(second.refresh.expose_secret()).await.unwrap();
    let in_grace = world.refresh(first.refresh.expose_secret()).await.unwrap();
    assert_eq!(in_grace.refresh.expose_secret(), second.refresh.expose_secret());
}

#[tokio::test]
async fn signing_out_ends_the_session_and_no_other() {
    let world = World::new().await;
    world.active("ann").await;
    let laptop = world.log_in("ann", PASSWORD).await.unwrap();
    let phone = world.log_in("ann", PASSWORD).await.unwrap();
    world.commands.log_out(&world.signed_in(&laptop), laptop.session).await.unwrap();
    world.commands.log_out(&world.signed_in(&laptop), laptop.session).await.unwrap();
    assert_eq!(world.count("session.ended").await, 1);
    assert_eq!(why(world.refresh(laptop.refresh.expose_secret()).await), Rejection::Ended);
    world.refresh(phone.refresh.expose_secret()).await.unwrap();
}

#[tokio::test]
async fn a_closed_account_and_a_strange_token_are_refused() {
    let world = World::new().await;
    let user = world.active("ann").await;
    let ann = world.log_in("ann", PASSWORD).await.unwrap();
    world.commands.deactivate_user(&world.anyone(), user).await.unwrap();
    assert_eq!(
        why(world.refresh(ann.refresh.expose_secret()).await),
        Rejection::CredentialsChanged
    );
    assert_eq!(why(world.refresh("nonsense").await), Rejection::TokenInvalid);
}
