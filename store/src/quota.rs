//! How much of a quota is used: in this process, or in Postgres for all of them.
//!
//! A window slides in slots, [`SLOTS`] of them: what was counted in a slot is forgotten once a whole window has passed since
//! the slot began. So in any span of a window less one slot there is never more than the quota, and the counters are true.

mod memory;
mod window;

use keynest_domain::Timestamp;
use keynest_domain::limits::Quota;

pub use memory::MemoryQuotas;
pub use window::{SLOTS, Taken, Window};
pub(crate) use window::{micros, slot, stands};

use crate::port::ReadError;
use crate::postgres::PostgresQuotas;

/// Who is counted: a digest. Where there are too many to remember, many of them share the coarse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct QuotaKey {
    pub fine: [u8; 16],
    pub coarse: [u8; 16],
}

/// Counters. Clones share everything.
#[derive(Clone, Debug)]
pub enum QuotaTable {
    /// Of this process.
    Memory(MemoryQuotas),
    /// Of all processes: the table `store.quotas`.
    Postgres(PostgresQuotas),
}

impl QuotaTable {
    /// Counts one if there is room, and says how it stands.
    pub async fn take(
        &self,
        policy: &'static str,
        key: QuotaKey,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Taken, ReadError> {
        match self {
            Self::Memory(memory) => Ok(memory.take(policy, key, quota, now)),
            Self::Postgres(postgres) => postgres.take(policy, key, quota, now).await,
        }
    }
}
