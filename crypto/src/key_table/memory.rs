//! A key table in memory, for tests and for the in-memory event store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use keynest_domain::{KeyId, Timestamp};

use super::{KeyTable, KeyTableError, NewKey, PAGE_MAX, WrappedKey};

/// Rows by id, and a clock that stands until it is set.
pub struct MemoryKeyTable(Mutex<Rows>);

struct Rows {
    now: Timestamp,
    by_id: BTreeMap<KeyId, WrappedKey>,
}

impl Default for MemoryKeyTable {
    fn default() -> Self {
        Self(Mutex::new(Rows { now: Timestamp::from_micros(0), by_id: BTreeMap::new() }))
    }
}

impl MemoryKeyTable {
    /// An empty table whose clock says 1970.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the clock that stamps rows.
    pub fn set_now(&self, now: Timestamp) {
        self.rows().now = now;
    }

    /// No call leaves the rows half changed, so a panic elsewhere does not spoil them.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn unretired(&self, name: &str) -> Option<WrappedKey> {
        self.by_id.values().find(|row| row.name == name && row.retired_at.is_none()).cloned()
    }
}

#[async_trait]
impl KeyTable for MemoryKeyTable {
    async fn get(&self, ids: &[KeyId]) -> Result<Vec<WrappedKey>, KeyTableError> {
        let rows = self.rows();
        Ok(ids.iter().filter_map(|id| rows.by_id.get(id).cloned()).collect())
    }

    async fn find(&self, name: &str) -> Result<Option<WrappedKey>, KeyTableError> {
        Ok(self.rows().unretired(name))
    }

    async fn history(&self, name: &str) -> Result<Vec<WrappedKey>, KeyTableError> {
        let rows = self.rows();
        let mut found: Vec<_> =
            rows.by_id.values().filter(|row| row.name == name).cloned().collect();
        found.sort_by_key(|row| (row.retired_at.is_some(), std::cmp::Reverse(row.created_at)));
        Ok(found)
    }

    async fn insert_if_absent(&self, key: NewKey) -> Result<WrappedKey, KeyTableError> {
        let mut rows = self.rows();
        if let Some(winner) = rows.unretired(&key.name) {
            return Ok(winner);
        }
        let row = WrappedKey {
            id: key.id,
            name: key.name,
            wrapped: key.wrapped,
            root_id: key.root_id,
            created_at: rows.now,
            retired_at: None,
            destroyed_at: None,
        };
        rows.by_id.insert(key.id, row.clone());
        Ok(row)
    }

    async fn list(
        &self,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<WrappedKey>, KeyTableError> {
        let rows = self.rows();
        let later = rows.by_id.values().filter(|row| after.is_none_or(|after| row.id > after));
        Ok(later.take(limit.min(PAGE_MAX)).cloned().collect())
    }

    async fn replace_wrapping(
        &self,
        id: KeyId,
        old: &[u8],
        wrapped: &[u8],
        root_id: &str,
    ) -> Result<bool, KeyTableError> {
        let mut rows = self.rows();
        let Some(row) = rows.by_id.get_mut(&id) else { return Ok(false) };
        if row.wrapped != old || row.destroyed_at.is_some() {
            return Ok(false);
        }
        row.wrapped = wrapped.to_vec();
        row.root_id = root_id.to_owned();
        Ok(true)
    }

    async fn retire(&self, id: KeyId) -> Result<(), KeyTableError> {
        let mut rows = self.rows();
        let now = rows.now;
        if let Some(row) = rows.by_id.get_mut(&id) {
            row.retired_at.get_or_insert(now);
        }
        Ok(())
    }

    async fn destroy(&self, id: KeyId) -> Result<(), KeyTableError> {
        let mut rows = self.rows();
        let now = rows.now;
        if let Some(row) = rows.by_id.get_mut(&id) {
            row.destroyed_at.get_or_insert(now);
            row.wrapped.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key_table::contract;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_table_in_memory_keeps_the_contract() {
        contract::run(async || Arc::new(MemoryKeyTable::new()) as Arc<dyn KeyTable>).await;
    }
}
