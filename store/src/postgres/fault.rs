//! What went wrong with a batch: the way to the database, or the batch itself.

use std::sync::Arc;

use crate::port::{AppendError, ReadError};

/// A failed call of `append_batch`.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The connection, the server or its resources; the same batch is good to be sent again.
    Again(sqlx::Error),
    /// The server refused the batch and wrote nothing.
    Batch(sqlx::Error),
}

/// The call was not answered in time; whether it is still running is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer in time")]
pub(crate) struct Unanswered;

/// SQLSTATE classes and codes (PostgreSQL, appendix A) that say nothing about the batch: connection (08), rolled back
/// (40), resources (53), operator intervention with timeouts (57), system (58), lock not available, read-only.
const PASSING: [&str; 7] = ["08", "40", "53", "57", "58", "55P03", "25006"];

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return Self::Again(error);
        };
        let code = database.code().unwrap_or_default();
        if PASSING.iter().any(|passing| code.starts_with(passing)) {
            Self::Again(error)
        } else {
            Self::Batch(error)
        }
    }
}

pub(crate) fn unavailable(source: sqlx::Error) -> AppendError {
    AppendError::Unavailable(Arc::new(source))
}

pub(crate) fn unreadable(source: sqlx::Error) -> ReadError {
    ReadError::Unavailable(Arc::new(source))
}
