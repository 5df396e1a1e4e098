//! The read side's questions; each is one statement, written beside the rows it reads.

use keynest_domain::Role;
use sqlx::PgPool;

use crate::error::QueryError;

/// Answers questions from the read models. What a caller may not see is not there for that caller.
#[derive(Clone, Debug)]
pub struct Queries {
    read: PgPool,
}

impl Queries {
    /// Over a pool of [`crate::connect_read_pool`].
    pub fn new(read: PgPool) -> Self {
        Self { read }
    }

    pub(crate) fn read(&self) -> &PgPool {
        &self.read
    }
}

/// Reads what the projector of memberships and invitations writes.
pub(crate) fn role(stored: &str) -> Result<Role, QueryError> {
    Role::parse(stored).ok_or(QueryError::Inconsistent { what: "role" })
}

/// A count of rows.
pub(crate) fn count(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}
