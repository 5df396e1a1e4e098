//! Tests of the rotation of the root key, also when it is killed at every point.

use keynest_domain::{StreamName, UserId};
use secrecy::ExposeSecret;

use super::*;
use crate::key_table::{KeyTable, MemoryKeyTable, WrappedKey};
use crate::roots::RootKeys;
use crate::testing::{KilledTable, ROOT, root};
use crate::{Context, RefreshTokens, Subject};

const NEXT: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn context(user: i64) -> Context {
    Context::new(
        Subject::User(UserId::new(user)),
        StreamName::new("user", user),
        "user.registered",
        "email",
    )
}

async fn unlock(roots: impl Into<RootKeys>, table: &Arc<MemoryKeyTable>) -> Keyring {
    Keyring::unlock(roots, Arc::clone(table) as Arc<dyn KeyTable>).await.unwrap()
}

async fn rows(table: &MemoryKeyTable) -> Vec<WrappedKey> {
    table.list(None, PAGE_MAX).await.unwrap()
}

#[tokio::test]
async fn a_rotation_wraps_every_row_again_and_changes_nothing_else() {
    let table = Arc::new(MemoryKeyTable::new());
    let keyring = unlock(root(ROOT), &table).await;
    let (sealed, erased) = (
        keyring.seal(&context(1), b"x").await.unwrap(),
        keyring.seal(&context(2), b"y").await.unwrap(),
    );
    keyring.destroy(context(2).subject).await.unwrap();
    let (digest, refresh) = (keyring.digest("email", "ann"), RefreshTokens::new(keyring.clone()));
    let session = keynest_domain::SessionId::new(uuid::Uuid::from_u128(7));
    let token = refresh.issue(session, 0, refresh.current_key_id()).unwrap();
    let before = rows(&table).await;
    let mut reports = Vec::new();
    let done = keyring.rotate_root(root(NEXT), |report| reports.push(report)).await.unwrap();
    assert_eq!(done, RotationProgress { seen: 8, rewrapped: 7 });
    assert_eq!(reports.last(), Some(&done));
    for (old, new) in before.iter().zip(rows(&table).await) {
        let is_destroyed = old.destroyed_at.is_some();
        assert_eq!(new.root_id == root(NEXT).id(), !is_destroyed, "{}", new.name);
        assert_eq!(new.wrapped == old.wrapped, is_destroyed, "{}", new.name);
        let (wrapped, root_id) = (old.wrapped.clone(), old.root_id.clone());
        assert_eq!(WrappedKey { wrapped, root_id, ..new }, *old);
    }
    let reopened = unlock(root(NEXT), &table).await;
    assert_eq!(**reopened.open(&context(1), &sealed).await.unwrap().unwrap(), *b"x");
    assert!(reopened.open(&context(2), &erased).await.unwrap().is_none());
    assert_eq!(reopened.digest("email", "ann"), digest);
    assert!(RefreshTokens::new(reopened).parse(token.expose_secret()).is_some());
    let refusal = Keyring::unlock(root(ROOT), table as Arc<dyn KeyTable>).await;
    assert!(matches!(refusal, Err(KeyringError::WrongRootKey { .. })));
}

#[tokio::test]
async fn a_rotation_killed_before_any_call_goes_on_when_started_again() {
    for calls in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let roots = RootKeys::load_or_create(&path, true).unwrap();
        let old_id = RootKey::load(&path).unwrap().id().to_owned();
        let table = Arc::new(MemoryKeyTable::new());
        let running = unlock(roots.clone(), &table).await;
        let sealed = running.seal(&context(1), b"x").await.unwrap();
        let killed = Arc::new(KilledTable::new(Arc::clone(&table)));
        let victim =
            Keyring::unlock(roots, Arc::clone(&killed) as Arc<dyn KeyTable>).await.unwrap();
        killed.after(calls);
        let was_killed = victim.rotate_root_file(&path, drop).await.is_err();
        assert_eq!(was_killed, next_path(&path).exists(), "after {calls} calls");

        // In between, those who run already and those who start read everything and make new keys.
        let started = unlock(RootKeys::load(&path).unwrap(), &table).await;
        let made = running.seal(&context(2), b"y").await.unwrap();
        for keyring in [&running, &started] {
            assert!(keyring.open(&context(1), &sealed).await.unwrap().is_some());
            assert!(keyring.open(&context(2), &made).await.unwrap().is_some());
        }
        if was_killed {
            started.rotate_root_file(&path, drop).await.unwrap();
        }
        let new = RootKey::load(&path).unwrap();
        assert!(new.id() != old_id && !next_path(&path).exists());
        assert!(rows(&table).await.iter().all(|row| row.root_id == new.id()));
        let reopened = unlock(new, &table).await;
        assert!(reopened.open(&context(1), &sealed).await.unwrap().is_some());
        assert!(reopened.open(&context(2), &made).await.unwrap().is_some());
        if !was_killed {
            return assert!(calls > 8, "a rotation makes more calls than that");
        }
    }
    panic!("a rotation never ended");
}

#[tokio::test]
async fn a_key_made_while_the_rotation_passes_by_is_wrapped_again_before_it_is_used() {
    let table = Arc::new(MemoryKeyTable::new());
    let keyring = unlock(RootKeys::from(root(ROOT)).and(root(NEXT)), &table).await;
    // As if its maker had been killed between storing it under the old root and looking at the check row.
    let (id, old, name) = (crate::random::key_id(), root(ROOT), "user:1".to_owned());
    let wrapped = old.wrap(id, &name, &[7; 32]);
    keyring.rotate_root(root(NEXT), drop).await.unwrap();
    let late = crate::NewKey { id, name, wrapped, root_id: old.id().to_owned() };
    table.insert_if_absent(late).await.unwrap();
    let sealed = keyring.seal(&context(1), b"x").await.unwrap();
    let reopened = unlock(root(NEXT), &table).await;
    assert!(reopened.open(&context(1), &sealed).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_rotations_and_many_writers_at_once_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    let roots = RootKeys::load_or_create(&path, true).unwrap();
    let table = Arc::new(MemoryKeyTable::new());
    let mut writers = Vec::new();
    for writer in 0..8 {
        let keyring = unlock(roots.clone(), &table).await;
        writers.push(tokio::spawn(async move {
            let mut made = Vec::new();
            for user in 0..50 {
                let place = context(writer * 1_000 + user);
                made.push((place.clone(), keyring.seal(&place, b"x").await.unwrap()));
                tokio::task::yield_now().await;
            }
            made
        }));
    }
    let mut rotations = Vec::new();
    for _ in 0..2 {
        let (keyring, path) = (unlock(roots.clone(), &table).await, path.clone());
        rotations.push(tokio::spawn(async move { keyring.rotate_root_file(&path, drop).await }));
    }
    for rotation in rotations {
        rotation.await.unwrap().unwrap();
    }
    let mut made = Vec::new();
    for writer in writers {
        made.extend(writer.await.unwrap());
    }
    let reopened = unlock(RootKey::load(&path).unwrap(), &table).await;
    for (place, sealed) in made {
        assert!(reopened.open(&place, &sealed).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_appears_behind_the_rotation_is_met_in_its_next_pass() {
    let table = Arc::new(MemoryKeyTable::new());
    let keyring = unlock(root(ROOT), &table).await;
    let (id, old) = (keynest_domain::KeyId::new(uuid::Uuid::nil()), root(ROOT));
    let late = crate::NewKey {
        id,
        name: "user:1".to_owned(),
        wrapped: old.wrap(id, "user:1", &[7; 32]),
        root_id: old.id().to_owned(),
    };
    let appear = |_| {
        let insert = table.insert_if_absent(late.clone());
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(insert)).unwrap();
    };
    keyring.rotate_root(root(NEXT), appear).await.unwrap();
    assert_eq!(rows(&table).await.len(), 7);
    assert!(rows(&table).await.iter().all(|row| row.root_id == root(NEXT).id()));
}
