//! A stronger hash at the next sign-in.

use std::sync::Arc;

use keynest_commands::login::LogIn;
use keynest_commands::user::ChangePassword;
use keynest_commands::{CommandError, Commands};
use keynest_crypto::{HashParams, Password, PasswordHasher};
use keynest_domain::user::User;
use secrecy::ExposeSecret;

use crate::world::{PASSWORD, World, email};

const NEXT: &str = "four quiet words here";

fn password(text: &str) -> Password {
    Password::presented(text).unwrap()
}

/// The same instance after the operator has raised the cost.
fn stronger(world: &World) -> Commands {
    let old = &world.commands;
    let hasher = PasswordHasher::new(HashParams::default()).unwrap();
    Commands::new(old.store().clone(), old.keyring().clone(), hasher, world.clock.clone())
}

async fn log_in(commands: &Commands, world: &World, text: &str) -> Result<(), CommandError> {
    let wish = LogIn { email: email("ann"), password: password(text) };
    commands.log_in(&world.anyone(), wish).await.map(drop)
}

#[tokio::test]
async fn the_next_sign_in_stores_a_stronger_hash_and_ends_nothing() {
    let world = World::new().await;
    let ann = world.active("ann").await;
    let before = world.log_in("ann", PASSWORD).await.unwrap();
    assert_eq!(world.count("user.password_rehashed").await, 0);
    let old = world.user(ann).await.password.clone();
    let after = stronger(&world);
    assert!(log_in(&after, &world, "wrong guess").await.is_err());
    assert_eq!(world.count("user.password_rehashed").await, 0, "only the right password is hashed");
    log_in(&after, &world, PASSWORD).await.unwrap();
    log_in(&after, &world, PASSWORD).await.unwrap();
    assert_eq!(world.count("user.password_rehashed").await, 1);
    let state = after.read::<User>(ann).await.unwrap();
    assert_ne!(state.password, old);
    assert_eq!((state.epoch, &state.rehashed_from), (0, &old));
    after.refresh(&world.anyone(), before.refresh.expose_secret()).await.unwrap();
    assert!(log_in(&after, &world, "wrong guess").await.is_err());
}

#[tokio::test]
async fn of_many_sign_ins_at_once_all_succeed_and_one_stores_the_hash() {
    let world = Arc::new(World::new().await);
    world.active("ann").await;
    let after = stronger(&world);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (after, world) = (after.clone(), Arc::clone(&world));
            tokio::spawn(async move { log_in(&after, &world, PASSWORD).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.count("user.password_rehashed").await, 1);
}

#[tokio::test]
async fn a_password_that_changes_meanwhile_stays_changed() {
    let world = Arc::new(World::new().await);
    world.active("ann").await;
    let after = stronger(&world);
    let first = world.log_in("ann", PASSWORD).await.unwrap();
    let origin = world.signed_in(&first);
    let wish = ChangePassword { current: password(PASSWORD), new: password(NEXT), context: vec![] };
    // Whichever is first: the new password is the one that counts.
    let (signed_in, changed) =
        tokio::join!(log_in(&after, &world, PASSWORD), after.change_password(&origin, wish));
    drop(signed_in);
    changed.unwrap();
    assert!(log_in(&after, &world, PASSWORD).await.is_err());
    log_in(&after, &world, NEXT).await.unwrap();
}
