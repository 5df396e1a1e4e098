//! Tests of the password hasher.

use super::*;

fn password(text: &str) -> Password {
    Password::presented(text).unwrap()
}

#[tokio::test]
async fn a_hash_verifies_its_own_password_only() {
    let hasher = PasswordHasher::new(HashParams::default()).unwrap();
    let phc = hasher.hash(&password("correct horse")).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert!(hasher.verify(&password("correct horse"), Some(&phc)).await.unwrap());
    assert!(!hasher.verify(&password("correct horsf"), Some(&phc)).await.unwrap());
    assert!(!hasher.verify(&password(""), Some(&phc)).await.unwrap());
    assert_ne!(hasher.hash(&password("correct horse")).await.unwrap(), phc, "salts differ");
}

#[tokio::test]
async fn nobody_has_a_password_and_it_costs_the_same() {
    let hasher = PasswordHasher::weak_for_tests();
    assert!(!hasher.verify(&password("anything"), None).await.unwrap());
    assert!(!hasher.needs_upgrade(&hasher.0.nobody), "the same parameters are the same work");
}

#[tokio::test]
async fn a_hash_of_old_parameters_verifies_and_wants_an_upgrade() {
    let (old, new) = (
        PasswordHasher::weak_for_tests(),
        PasswordHasher::new(HashParams { passes: 3, ..HashParams::default() }).unwrap(),
    );
    let phc = old.hash(&password("correct horse")).await.unwrap();
    assert!(new.verify(&password("correct horse"), Some(&phc)).await.unwrap());
    assert!(new.needs_upgrade(&phc) && !old.needs_upgrade(&phc));
    assert!(new.needs_upgrade("$argon2i$v=19$m=19456,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"));
    assert!(new.needs_upgrade("nonsense"));
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_and_not_a_wrong_password() {
    let hasher = PasswordHasher::weak_for_tests();
    for phc in ["", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ"] {
        let verdict = hasher.verify(&password("x"), Some(phc)).await;
        assert!(matches!(verdict, Err(HashError::Damaged)), "{phc}: {verdict:?}");
    }
}

#[test]
fn parameters_below_the_floor_are_refused() {
    for weak in [
        HashParams { memory_kib: 19_455, ..HashParams::default() },
        HashParams { passes: 1, ..HashParams::default() },
        HashParams { lanes: 0, ..HashParams::default() },
    ] {
        assert!(matches!(PasswordHasher::new(weak), Err(HashError::BadParams)));
    }
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_drains() {
    let pool = HashParams { memory_kib: 8, passes: 1, threads: 1, queue: 2, ..FLOOR };
    let hasher = PasswordHasher::build(pool).unwrap();
    let running = Arc::clone(&hasher.0.threads).acquire_owned().await.unwrap();
    let word = password("x");
    let mut waiting =
        [Box::pin(hasher.hash(&word)), Box::pin(hasher.hash(&word)), Box::pin(hasher.hash(&word))];
    for hash in &mut waiting {
        assert!(poll_once(hash.as_mut()).await.is_none());
    }
    assert!(matches!(hasher.hash(&word).await, Err(HashError::Busy)));
    drop(running);
    for hash in waiting {
        hash.await.unwrap();
    }
    hasher.hash(&word).await.unwrap();
}

/// Polls once: `None` while pending.
async fn poll_once<T>(future: std::pin::Pin<&mut (impl Future<Output = T> + ?Sized)>) -> Option<T> {
    let mut future = future;
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
