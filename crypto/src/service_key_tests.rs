//! Tests of service keys: making, rotating, retiring, listing.

use super::*;
use crate::testing::{ROOT, root};
use crate::{KeyTable, Keyring, MemoryKeyTable};

async fn over(table: &Arc<MemoryKeyTable>) -> Keyring {
    Keyring::unlock(root(ROOT), Arc::clone(table) as Arc<dyn KeyTable>).await.unwrap()
}

#[tokio::test]
async fn a_fresh_table_gets_one_key_per_purpose_and_keeps_it() {
    let table = Arc::new(MemoryKeyTable::new());
    let keys = over(&table).await.keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.purpose).collect::<Vec<_>>(), Purpose::ALL);
    assert!(keys.iter().all(|key| key.retired_at.is_none() && key.root_id == root(ROOT).id()));
    assert_eq!(over(&table).await.keys().await.unwrap(), keys);
}

#[tokio::test]
async fn a_rotated_key_verifies_until_its_lifetime_is_over() {
    for purpose in Purpose::ALL {
        let table = Arc::new(MemoryKeyTable::new());
        let keyring = over(&table).await;
        let Some(lifetime) = purpose.retired_lifetime() else {
            assert!(matches!(keyring.rotate(purpose).await, Err(KeyringError::NotRotatable)));
            continue;
        };
        let old = table.find(purpose.name()).await.unwrap().unwrap().id;
        let retired_at = Timestamp::from_micros(1_800_000_000_000_000);
        table.set_now(retired_at);
        let new = keyring.rotate(purpose).await.unwrap();
        assert_ne!(new, old);
        let over = retired_at + lifetime;
        assert_eq!(keyring.destroy_retired(over).await.unwrap(), []);
        assert_eq!(known(&keyring, purpose), sorted([old, new]));
        let after = Timestamp::from_micros(over.micros() + 1);
        assert_eq!(keyring.destroy_retired(after).await.unwrap(), [old]);
        assert_eq!(keyring.destroy_retired(after).await.unwrap(), []);
        assert_eq!(known(&keyring, purpose), [new]);
    }
}

#[tokio::test]
async fn another_process_learns_of_a_rotation_by_reloading() {
    let table = Arc::new(MemoryKeyTable::new());
    let (keyring, other) = (over(&table).await, over(&table).await);
    let new = keyring.rotate(Purpose::Link).await.unwrap();
    assert_ne!(other.service().link.active_id(), new);
    other.reload().await.unwrap();
    assert_eq!(other.service().link.active_id(), new);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_rotations_leave_one_active_key() {
    let table = Arc::new(MemoryKeyTable::new());
    let mut rotations = Vec::new();
    for _ in 0..16 {
        let keyring = over(&table).await;
        rotations.push(tokio::spawn(async move { keyring.rotate(Purpose::Refresh).await }));
    }
    for rotation in rotations {
        rotation.await.unwrap().unwrap();
    }
    let keys = over(&table).await.keys().await.unwrap();
    let is_active = |key: &&KeyInfo| key.purpose == Purpose::Refresh && key.retired_at.is_none();
    assert_eq!(keys.iter().filter(is_active).count(), 1);
}

fn known(keyring: &Keyring, purpose: Purpose) -> Vec<KeyId> {
    let keys = keyring.service();
    match purpose {
        Purpose::Signing => sorted(keys.signing.keys.keys().copied()),
        Purpose::Link => sorted(keys.link.keys.keys().copied()),
        Purpose::Refresh => sorted(keys.refresh.keys.keys().copied()),
        Purpose::Cursor => sorted(keys.cursor.keys.keys().copied()),
        Purpose::Digest => sorted(keys.digest.keys.keys().copied()),
    }
}

fn sorted(ids: impl IntoIterator<Item = KeyId>) -> Vec<KeyId> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort();
    ids
}
