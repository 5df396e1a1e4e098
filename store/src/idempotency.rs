//! Which command a request with an `Idempotency-Key` stands for (DESIGN 9).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keynest_domain::{CommandId, Lifetime, Timestamp};

use crate::port::ReadError;
use crate::postgres::PostgresIdempotency;

/// How long a key stands for its command.
pub const IDEMPOTENCY_LIFETIME: Lifetime = Lifetime::from_hours(24);
/// Longest actor, route and key, in bytes, each.
pub const IDEMPOTENCY_TEXT_BYTES_MAX: usize = 255;
/// Longest digest of a body, in bytes.
pub const IDEMPOTENCY_DIGEST_BYTES_MAX: usize = 64;

/// What a key means for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Not seen in the last 24 hours: go on with this command id.
    Fresh(CommandId),
    /// Seen with the same body: the command id of then.
    Repeat(CommandId),
    /// Seen with another body.
    Mismatch,
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// Too long, empty or with a NUL; refused before it was looked for.
    #[error("idempotency key is malformed: {0}")]
    Malformed(&'static str),
    /// The table cannot be reached.
    #[error("look up an idempotency key")]
    Unavailable(#[from] ReadError),
}

/// Rows (actor, route, key). Clones share everything.
#[derive(Clone, Debug)]
pub enum IdempotencyTable {
    /// In this process only, for tests.
    Memory(MemoryIdempotency),
    /// The table `store.idempotency`.
    Postgres(PostgresIdempotency),
}

/// Rows that end with their last clone.
#[derive(Clone, Debug, Default)]
pub struct MemoryIdempotency(Arc<Mutex<HashMap<[String; 3], Row>>>);

#[derive(Clone, Debug)]
struct Row {
    digest: Vec<u8>,
    command: CommandId,
    created_at: Timestamp,
}

impl IdempotencyTable {
    /// An empty table in memory.
    pub fn memory() -> Self {
        Self::Memory(MemoryIdempotency::default())
    }

    /// Remembers the candidate unless the key is known. Atomic: of many callers one is fresh.
    pub async fn begin(
        &self,
        actor: &str,
        route: &str,
        key: &str,
        digest: &[u8],
        candidate: CommandId,
        now: Timestamp,
    ) -> Result<Begun, IdempotencyError> {
        for text in [actor, route, key] {
            if text.is_empty() || text.len() > IDEMPOTENCY_TEXT_BYTES_MAX || text.contains('\0') {
                return Err(IdempotencyError::Malformed("1 to 255 bytes, without NUL"));
            }
        }
        if digest.len() > IDEMPOTENCY_DIGEST_BYTES_MAX {
            return Err(IdempotencyError::Malformed("a digest has at most 64 bytes"));
        }
        match self {
            Self::Memory(memory) => Ok(memory.begin([actor, route, key], digest, candidate, now)),
            Self::Postgres(postgres) => {
                Ok(postgres.begin([actor, route, key], digest, candidate, now).await?)
            }
        }
    }

    /// Forgets at most `limit` rows from before a time, oldest first, and says how many.
    pub async fn prune(&self, before: Timestamp, limit: usize) -> Result<u64, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.prune(before, limit)),
            Self::Postgres(postgres) => postgres.prune(before, limit).await,
        }
    }
}

impl MemoryIdempotency {
    fn begin(&self, id: [&str; 3], digest: &[u8], candidate: CommandId, now: Timestamp) -> Begun {
        let mut rows = self.rows();
        let id = id.map(str::to_owned);
        if let Some(row) = rows.get(&id)
            && row.created_at > now - IDEMPOTENCY_LIFETIME
        {
            return recognise(&row.digest, digest, row.command);
        }
        rows.insert(id, Row { digest: digest.to_vec(), command: candidate, created_at: now });
        Begun::Fresh(candidate)
    }

    fn prune(&self, before: Timestamp, limit: usize) -> u64 {
        let mut rows = self.rows();
        let mut old: Vec<_> = rows
            .iter()
            .filter(|(_, row)| row.created_at < before)
            .map(|(id, row)| (row.created_at, id.clone()))
            .collect();
        old.sort();
        old.truncate(limit);
        old.iter().filter(|(_, id)| rows.remove(id).is_some()).count() as u64
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<[String; 3], Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a row that is not outdated means for a request.
pub(crate) fn recognise(stored: &[u8], digest: &[u8], command: CommandId) -> Begun {
    if stored == digest { Begun::Repeat(command) } else { Begun::Mismatch }
}
