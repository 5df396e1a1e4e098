//! Password change and reset.

use std::sync::Arc;

use keynest_commands::user::{ChangePassword, ConfirmPasswordReset};
use keynest_commands::{CommandError, Origin};
use keynest_crypto::{LinkTarget, Password};
use keynest_domain::login::{self, FAILURES_MAX};
use keynest_domain::user::Rejection;
use keynest_domain::{Lifetime, UserId, session};
use secrecy::ExposeSecret;

use crate::world::{PASSWORD, World, email, in_parallel};

const NEW: &str = "another horse battery";

async fn change(
    world: &World,
    origin: &Origin,
    current: &str,
    new: &str,
) -> Result<(), CommandError> {
    let current = Password::presented(current).unwrap();
    let wish = ChangePassword { current, new: Password::parse(new).unwrap(), context: vec![] };
    world.commands.change_password(origin, wish).await.map(drop)
}

async fn reset_token(world: &World, user: UserId) -> String {
    world.commands.request_password_reset(&world.anyone(), email("ann")).await.unwrap();
    world.token(LinkTarget::PasswordReset(user), world.user(user).await.reset.unwrap())
}

async fn confirm(world: &World, user: UserId, token: &str, new: &str) -> Result<(), CommandError> {
    let wish = ConfirmPasswordReset {
        user,
        token: token.to_owned(),
        password: Password::parse(new).unwrap(),
        context: vec![],
    };
    world.commands.confirm_password_reset(&world.anyone(), wish).await.map(drop)
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::new().await;
    world.active("ann").await;
    let laptop = world.log_in("ann", PASSWORD).await.unwrap();
    let phone = world.log_in("ann", PASSWORD).await.unwrap();
    change(&world, &world.signed_in(&laptop), PASSWORD, NEW).await.unwrap();
    let kept = world.refresh(laptop.refresh.expose_secret()).await.unwrap();
    assert_eq!(kept.epoch, 1);
    let ended = world.refresh(phone.refresh.expose_secret()).await;
    let why = session::Rejection::CredentialsChanged;
    assert!(matches!(ended, Err(CommandError::Session(it)) if it == why));
    assert!(world.log_in("ann", PASSWORD).await.is_err());
    world.log_in("ann", NEW).await.unwrap();
}

#[tokio::test]
async fn guesses_of_the_current_password_lock_as_at_a_sign_in() {
    let world = World::new().await;
    world.active("ann").await;
    let ann = world.log_in("ann", PASSWORD).await.unwrap();
    let origin = world.signed_in(&ann);
    for _ in 0..FAILURES_MAX {
        let wrong = change(&world, &origin, "a wrong guess", NEW).await;
        assert!(matches!(wrong, Err(CommandError::User(Rejection::WrongPassword))));
    }
    let right = change(&world, &origin, PASSWORD, NEW).await;
    assert!(matches!(right, Err(CommandError::Login(login::Rejection::Locked { .. }))));
    world.log_in("ann", PASSWORD).await.expect("signing in is another matter");
}

#[tokio::test]
async fn a_password_of_the_accounts_own_words_is_refused() {
    let world = World::new().await;
    let user = world.active("annabella").await;
    let token = {
        world.commands.request_password_reset(&world.anyone(), email("annabella")).await.unwrap();
        world.token(LinkTarget::PasswordReset(user), world.user(user).await.reset.unwrap())
    };
    let refused = confirm(&world, user, &token, "annabella1").await;
    assert!(matches!(refused, Err(CommandError::Field { field: "new_password", .. })));
    confirm(&world, user, &token, NEW).await.expect("a refused password does not use up the link");
}

#[tokio::test]
async fn of_64_uses_of_a_reset_link_one_wins_and_all_sessions_end() {
    let world = Arc::new(World::new().await);
    let user = world.active("ann").await;
    let before = world.log_in("ann", PASSWORD).await.unwrap();
    let token = reset_token(&world, user).await;
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |n| {
        let (world, token) = (Arc::clone(&shared), token.clone());
        async move { confirm(&world, user, &token, &format!("{NEW} {n}")).await }
    });
    assert_eq!(answers.await.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(world.count("user.password_reset").await, 1);
    assert!(world.refresh(before.refresh.expose_secret()).await.is_err());
}

#[tokio::test]
async fn a_reset_link_lives_for_half_an_hour_and_activation_links_are_none() {
    let world = World::new().await;
    let user = world.active("ann").await;
    let activation = world.activation_token(user).await;
    let token = reset_token(&world, user).await;
    let other_kind = confirm(&world, user, &activation, NEW).await;
    assert!(matches!(other_kind, Err(CommandError::User(Rejection::LinkInvalid))));
    world.clock.advance(Lifetime::from_minutes(30));
    let late = confirm(&world, user, &token, NEW).await;
    assert!(matches!(late, Err(CommandError::User(Rejection::LinkExpired))));
}

#[tokio::test]
async fn a_reset_lifts_the_lock_of_the_address() {
    let world = World::new().await;
    let user = world.active("ann").await;
    for _ in 0..FAILURES_MAX {
        world.log_in_from("198.51.100.1", "ann", "a wrong guess").await.unwrap_err();
    }
    let token = reset_token(&world, user).await;
    confirm(&world, user, &token, NEW).await.unwrap();
    world.log_in_from("198.51.100.1", "ann", NEW).await.unwrap();
}
