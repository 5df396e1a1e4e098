//! Values for this crate's tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use keynest_domain::KeyId;

use crate::{KeyTable, KeyTableError, Keyring, MemoryKeyTable, NewKey, RootKey, WrappedKey};

/// The text of a root key.
pub const ROOT: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A root key from its text.
pub fn root(text: &str) -> RootKey {
    RootKey::parse(text).unwrap()
}

/// A keyring with fresh keys over an empty table.
pub async fn keyring() -> Keyring {
    Keyring::unlock(RootKey::generate(), Arc::new(MemoryKeyTable::new())).await.unwrap()
}

/// The token cut at every length, with every character changed, with something added, and in another alphabet.
pub fn every_damage(token: &str) -> Vec<String> {
    let mut damaged: Vec<_> = (0..token.len()).map(|end| token[..end].to_owned()).collect();
    for at in 0..token.len() {
        let other = if token.as_bytes()[at] == b'A' { 'B' } else { 'A' };
        damaged.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
    }
    for ending in ["A", "=", "==", "\n", " ", "\0", ".", "ü", token] {
        damaged.push(format!("{token}{ending}"));
    }
    damaged.extend([format!(" {token}"), "ü".repeat(46), "/".repeat(token.len())]);
    damaged
}

/// A table whose process is killed after some calls: everything later fails and does nothing.
pub struct KilledTable {
    table: Arc<MemoryKeyTable>,
    calls_left: AtomicUsize,
}

impl KilledTable {
    pub fn new(table: Arc<MemoryKeyTable>) -> Self {
        Self { table, calls_left: AtomicUsize::new(usize::MAX) }
    }

    /// Lets this many more calls through.
    pub fn after(&self, calls: usize) {
        self.calls_left.store(calls, Ordering::SeqCst);
    }

    fn alive(&self) -> Result<&MemoryKeyTable, KeyTableError> {
        let left = |calls: usize| calls.checked_sub(1);
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => Ok(&self.table),
            Err(_) => Err(KeyTableError::new("go on", "killed")),
        }
    }
}

#[async_trait]
impl KeyTable for KilledTable {
    async fn get(&self, ids: &[KeyId]) -> Result<Vec<WrappedKey>, KeyTableError> {
        self.alive()?.get(ids).await
    }
    async fn find(&self, name: &str) -> Result<Option<WrappedKey>, KeyTableError> {
        self.alive()?.find(name).await
    }
    async fn history(&self, name: &str) -> Result<Vec<WrappedKey>, KeyTableError> {
        self.alive()?.history(name).await
    }
    async fn insert_if_absent(&self, key: NewKey) -> Result<WrappedKey, KeyTableError> {
        self.alive()?.insert_if_absent(key).await
    }
    async fn list(
        &self,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<WrappedKey>, KeyTableError> {
        self.alive()?.list(after, limit).await
    }
    async fn replace_wrapping(
        &self,
        id: KeyId,
        old: &[u8],
        wrapped: &[u8],
        root_id: &str,
    ) -> Result<bool, KeyTableError> {
        self.alive()?.replace_wrapping(id, old, wrapped, root_id).await
    }
    async fn retire(&self, id: KeyId) -> Result<(), KeyTableError> {
        self.alive()?.retire(id).await
    }
    async fn destroy(&self, id: KeyId) -> Result<(), KeyTableError> {
        self.alive()?.destroy(id).await
    }
}
