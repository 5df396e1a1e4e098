//! Where wrapped keys live, outside the event log (DESIGN 5): the port, and a table in memory for tests.
//! A table never sees a key in clear, and names hold ids only, never personal data.

use std::error::Error;

use async_trait::async_trait;
use keynest_domain::{KeyId, Timestamp};

pub mod contract;
mod memory;
pub use memory::MemoryKeyTable;

/// Most rows that one call of [`KeyTable::list`] or [`KeyTable::get`] may ask for.
pub const PAGE_MAX: usize = 1_000;

/// A key to be stored. The table adds `created_at` from its own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    pub id: KeyId,
    /// `user:123`, `day:20000`, `signing`, `root_check`; unique among keys that are not retired.
    pub name: String,
    /// The key, encrypted under the root key and bound to `id` and `name`.
    pub wrapped: Vec<u8>,
    /// Which root key wrapped it: a fingerprint, not a secret.
    pub root_id: String,
}

/// A key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub id: KeyId,
    pub name: String,
    /// Empty once destroyed.
    pub wrapped: Vec<u8>,
    pub root_id: String,
    pub created_at: Timestamp,
    /// Set when a successor took its name; it still verifies or opens.
    pub retired_at: Option<Timestamp>,
    /// Set when the key was erased; the row stays, and keeps its name from being used again.
    pub destroyed_at: Option<Timestamp>,
}

/// The store behind the table did not answer, or answered nonsense.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempted} in the key table")]
pub struct KeyTableError {
    /// What was attempted: `find a key`.
    pub attempted: &'static str,
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl KeyTableError {
    pub fn new(attempted: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { attempted, source: source.into() }
    }
}

/// The table. Every call is durable before it returns, and sees everything that returned before it started, in any
/// process: the rotation of the root key depends on it.
#[async_trait]
pub trait KeyTable: Send + Sync {
    /// The rows with these ids, in any order; unknown ids are left out. At most [`PAGE_MAX`] ids.
    async fn get(&self, ids: &[KeyId]) -> Result<Vec<WrappedKey>, KeyTableError>;

    /// The key of this name that is not retired; it may be destroyed.
    async fn find(&self, name: &str) -> Result<Option<WrappedKey>, KeyTableError>;

    /// Every key of this name, retired and destroyed ones too, newest first.
    async fn history(&self, name: &str) -> Result<Vec<WrappedKey>, KeyTableError>;

    /// Stores the key unless one of its name exists that is not retired (a destroyed one counts), and answers the row
    /// that has the name now. Atomic: of many callers one wins, and all get the same answer.
    async fn insert_if_absent(&self, key: NewKey) -> Result<WrappedKey, KeyTableError>;

    /// All rows by rising id, those after `after`, at most `limit` (at most [`PAGE_MAX`]).
    async fn list(
        &self,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<WrappedKey>, KeyTableError>;

    /// Replaces `wrapped` and `root_id` if `wrapped` is still `old` and the key is not destroyed; says whether it did.
    async fn replace_wrapping(
        &self,
        id: KeyId,
        old: &[u8],
        wrapped: &[u8],
        root_id: &str,
    ) -> Result<bool, KeyTableError>;

    /// Sets `retired_at` unless it is set: the name becomes free for a successor.
    async fn retire(&self, id: KeyId) -> Result<(), KeyTableError>;

    /// Empties `wrapped` and sets `destroyed_at`, unless it is set. For good.
    async fn destroy(&self, id: KeyId) -> Result<(), KeyTableError>;
}

/// Whether the table has never held a key, the one case in which a fresh root key may be made.
pub async fn is_empty(table: &dyn KeyTable) -> Result<bool, KeyTableError> {
    Ok(table.list(None, 1).await?.is_empty())
}
