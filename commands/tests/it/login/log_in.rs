//! The password, the lock, the known device.

use std::sync::Arc;

use keynest_commands::CommandError;
use keynest_domain::Lifetime;
use keynest_domain::login::{FAILURES_MAX, Rejection};
use keynest_domain::user;

use crate::world::{PASSWORD, World, in_parallel};

const AWAY: &str = "198.51.100.1";

fn is_locked<T>(answer: &Result<T, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Login(Rejection::Locked { .. })))
}

fn is_invalid<T>(answer: &Result<T, CommandError>) -> bool {
    matches!(answer, Err(CommandError::Login(Rejection::InvalidCredentials)))
}

#[tokio::test]
async fn every_bad_sign_in_is_refused_alike() {
    let world = World::new().await;
    let closed = world.active("closed").await;
    world.commands.deactivate_user(&world.anyone(), closed).await.unwrap();
    world.active("ann").await;
    world.register("waiting").await.unwrap();
    for (local, password) in [
        ("nobody", PASSWORD),
        ("ann", "wrong guess"),
        ("closed", PASSWORD),
        ("waiting", "wrong guess"),
    ] {
        assert!(is_invalid(&world.log_in(local, password).await), "{local}");
    }
    assert_eq!(world.count("login.failed").await, 4);
}

#[tokio::test]
async fn whoever_knows_the_password_hears_that_the_account_waits_for_activation() {
    let world = World::new().await;
    world.register("ann").await.unwrap();
    let refused = world.log_in("ann", PASSWORD).await;
    assert!(matches!(refused, Err(CommandError::User(user::Rejection::Inactive))));
}

#[tokio::test]
async fn an_unknown_address_locks_like_a_known_one() {
    let world = World::new().await;
    world.active("ann").await;
    for local in ["ann", "nobody"] {
        for _ in 0..FAILURES_MAX {
            assert!(is_invalid(&world.log_in(local, "wrong guess").await), "{local}");
        }
        assert!(is_locked(&world.log_in(local, PASSWORD).await), "{local}");
    }
    world.clock.advance(Lifetime::from_minutes(1));
    world.log_in("ann", PASSWORD).await.unwrap();
    assert_eq!(world.count("login.unlocked").await, 1);
}

#[tokio::test]
async fn of_64_parallel_guesses_no_more_than_five_are_answered() {
    let world = Arc::new(World::new().await);
    world.active("ann").await;
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |n| {
        let world = Arc::clone(&shared);
        async move { world.log_in("ann", &format!("guess number {n}")).await }
    })
    .await;
    let answered = answers.iter().filter(|answer| is_invalid(answer)).count();
    let locked = answers.iter().filter(|answer| is_locked(answer)).count();
    assert_eq!((answered, locked), (FAILURES_MAX as usize, 64 - FAILURES_MAX as usize));
    assert_eq!(world.count("login.failed").await, FAILURES_MAX as usize);
    assert!(is_locked(&world.log_in("ann", PASSWORD).await), "the right one comes too late");
}

#[tokio::test]
async fn a_known_device_gets_in_past_a_lock_and_is_no_way_around_it() {
    let world = World::new().await;
    world.active("ann").await;
    world.log_in_from("192.0.2.1", "ann", PASSWORD).await.unwrap();
    for _ in 0..FAILURES_MAX {
        assert!(is_invalid(&world.log_in_from(AWAY, "ann", "wrong guess").await));
    }
    assert!(is_locked(&world.log_in_from(AWAY, "ann", PASSWORD).await));
    world.log_in_from("192.0.2.99", "ann", PASSWORD).await.expect("the same /24");
    for _ in 0..FAILURES_MAX {
        assert!(is_invalid(&world.log_in_from("192.0.2.1", "ann", "wrong guess").await));
    }
    assert!(is_locked(&world.log_in_from("192.0.2.1", "ann", PASSWORD).await));
}

#[tokio::test]
async fn a_device_is_forgotten_after_30_days() {
    let world = World::new().await;
    world.active("ann").await;
    world.log_in_from("192.0.2.1", "ann", PASSWORD).await.unwrap();
    world.clock.advance(Lifetime::from_days(30));
    for _ in 0..FAILURES_MAX {
        world.log_in_from(AWAY, "ann", "wrong guess").await.unwrap_err();
    }
    assert!(is_locked(&world.log_in_from("192.0.2.1", "ann", PASSWORD).await));
}

#[tokio::test]
async fn another_persons_network_is_no_known_device() {
    let world = World::new().await;
    world.active("ann").await;
    world.active("bob").await;
    world.log_in_from(AWAY, "bob", PASSWORD).await.unwrap();
    for _ in 0..FAILURES_MAX {
        world.log_in_from("203.0.113.1", "ann", "wrong guess").await.unwrap_err();
    }
    assert!(is_locked(&world.log_in_from(AWAY, "ann", PASSWORD).await));
}

#[tokio::test]
async fn sixty_four_parallel_sign_ins_of_one_person_all_succeed() {
    let world = Arc::new(World::new().await);
    world.active("ann").await;
    let shared = Arc::clone(&world);
    let answers = in_parallel(move |_| {
        let world = Arc::clone(&shared);
        async move { world.log_in("ann", PASSWORD).await }
    });
    assert!(answers.await.iter().all(Result::is_ok));
    assert_eq!(world.count("session.started").await, 64);
}

#[tokio::test]
async fn two_people_behind_one_address_are_both_known_there() {
    let world = World::new().await;
    for local in ["ann", "bob"] {
        world.active(local).await;
        world.log_in_from("192.0.2.1", local, PASSWORD).await.unwrap();
    }
    for _ in 0..FAILURES_MAX {
        world.log_in_from(AWAY, "ann", "wrong guess").await.unwrap_err();
    }
    world.log_in_from("192.0.2.1", "ann", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_thousand_wrong_tries_from_everywhere_do_not_keep_the_owner_out() {
    let world = World::new().await;
    world.active("ann").await;
    world.log_in_from("192.0.2.1", "ann", PASSWORD).await.unwrap();
    let mut heard = 0;
    for n in 0..1_000 {
        // Half of them from the owner's own /24, spread over time so that no lock swallows them all.
        let address = match n % 2 {
            0 => format!("203.0.{}.{}", n / 250, n % 250),
            _ => format!("192.0.2.{}", 2 + n % 250),
        };
        world.clock.advance(Lifetime::from_secs(30));
        heard += usize::from(is_invalid(&world.log_in_from(&address, "ann", "wrong guess").await));
    }
    // Two counts, the owner's network's and everybody's: five guesses, then a lock that doubles up to an hour.
    assert!(heard <= 2 * 13 * 5, "{heard} guesses were compared in eight hours");
    assert!(is_locked(&world.log_in_from("203.0.113.1", "ann", PASSWORD).await));
    assert!(is_locked(&world.log_in_from("192.0.2.200", "ann", PASSWORD).await), "the neighbour");
    world.log_in_from("192.0.2.1", "ann", PASSWORD).await.expect("the owner's own address");
}

#[tokio::test]
async fn every_spelling_of_an_address_counts_towards_one_lock() {
    let world = World::new().await;
    world.active("ann").await;
    for local in ["Ann", "aNN", "ANN", "ann", " ann"] {
        assert!(is_invalid(&world.log_in_from(AWAY, local, "wrong guess").await), "{local}");
    }
    assert!(is_locked(&world.log_in_from(AWAY, "ann", PASSWORD).await));
}
