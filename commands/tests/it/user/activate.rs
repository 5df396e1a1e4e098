//! Activation by link.

use std::sync::Arc;

use keynest_commands::CommandError;
use keynest_crypto::LinkTarget;
use keynest_domain::Lifetime;
use keynest_domain::user::{OpenLink, Rejection};

use crate::world::{World, email, in_parallel, other_nonce};

#[tokio::test]
async fn of_64_uses_of_a_link_one_activates_and_all_succeed() {
    let world = Arc::new(World::new().await);
    world.register("ann").await.unwrap();
    let user = world.id_of("ann").await.unwrap();
    let token = world.activation_token(user).await;
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |_| {
        let (world, token) = (Arc::clone(&shared), token.clone());
        async move { world.activate(user, &token).await }
    });
    assert!(answers.await.iter().all(Result::is_ok));
    assert_eq!(world.count("user.activated").await, 1);
}

#[tokio::test]
async fn a_guess_or_another_persons_link_activates_nothing() {
    let world = World::new().await;
    let ann = world.active("ann").await;
    world.register("bob").await.unwrap();
    let bob = world.id_of("bob").await.unwrap();
    let anns = world.activation_token(ann).await;
    let open = world.user(bob).await.activation.unwrap();
    let guess = world.token(LinkTarget::Activation(bob), OpenLink { nonce: other_nonce(), ..open });
    let reset = world.token(LinkTarget::PasswordReset(bob), open);
    for token in [anns.as_str(), &guess, &reset, "", "x"] {
        let refused = world.activate(bob, token).await;
        assert!(matches!(refused, Err(CommandError::User(Rejection::LinkInvalid))), "{token}");
    }
    assert_eq!(world.count("user.activated").await, 1);
}

#[tokio::test]
async fn a_link_dies_with_its_day_and_with_a_newer_link() {
    let world = World::new().await;
    world.register("ann").await.unwrap();
    let user = world.id_of("ann").await.unwrap();
    let first = world.activation_token(user).await;
    world.clock.advance(Lifetime::from_hours(24));
    let late = world.activate(user, &first).await;
    assert!(matches!(late, Err(CommandError::User(Rejection::LinkExpired))));
    world.commands.resend_activation(&world.anyone(), email("ann")).await.unwrap();
    let second = world.activation_token(user).await;
    let old = world.activate(user, &first).await;
    assert!(matches!(old, Err(CommandError::User(Rejection::LinkInvalid))));
    world.activate(user, &second).await.unwrap();
}

#[tokio::test]
async fn an_unknown_address_gets_no_link_and_hears_nothing() {
    let world = World::new().await;
    world.commands.resend_activation(&world.anyone(), email("nobody")).await.unwrap();
    world.commands.request_password_reset(&world.anyone(), email("nobody")).await.unwrap();
    // As many events as for an address with an account; nobody gets a mail of these.
    assert_eq!(world.log().await, ["login.link_not_sent"; 2]);
}
