//! Why a query has no answer, and why an event could not become rows.

use std::error::Error;

use keynest_crypto::KeyringError;
use keynest_domain::OrganizationId;

/// Why a question has no answer. That somebody may not see it is never an error: the answer is empty.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The read models cannot be reached.
    #[error("query the read models")]
    Unavailable(#[from] sqlx::Error),
    /// A stored text is none of the words that a projector writes.
    #[error("the read models hold an unknown {what}")]
    Inconsistent {
        /// The column's meaning.
        what: &'static str,
    },
    /// The organization of the row does not let the caller's address in.
    #[error("the organization does not let this address in")]
    AddressNotAllowed(OrganizationId),
    /// The organization of the row requires a second factor, and the caller has shown none.
    #[error("the organization requires a second factor")]
    SecondFactorRequired(OrganizationId),
    /// The organization is asked more often than its quota allows.
    #[error("ask an organization less often")]
    Throttled {
        /// Which.
        organization: OrganizationId,
        /// When there is room again.
        seconds: u32,
    },
    /// More rows than one answer may have.
    #[error("more than {max} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: i64,
    },
}

/// Why events did not become rows.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing is wrong with the event: tried again until it works.
    #[error("what the projector needs is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The event will never become rows: its stream is parked. The text holds no data of the event.
    #[error("{0}")]
    Failing(String),
}

impl ApplyError {
    /// The event asks for something that cannot be.
    pub(crate) fn failing(what: impl Into<String>) -> Self {
        Self::Failing(what.into())
    }
}

/// Refused data parks the stream; everything else is the database's trouble. Of a refusal only the
/// code and the names of schema objects are kept, since messages quote data.
impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        /// Data exception, integrity violation, limit exceeded (PostgreSQL manual, appendix A).
        const REFUSALS: [&str; 3] = ["22", "23", "54"];
        let refusal = error.as_database_error().and_then(|database| {
            let code = database.code()?;
            let is_refusal = REFUSALS.iter().any(|class| code.starts_with(class));
            is_refusal.then(|| {
                let place = database.constraint().or(database.table()).unwrap_or("a statement");
                format!("the database refused the row: {code} at {place}")
            })
        });
        refusal.map_or_else(|| Self::Unavailable(Box::new(error)), Self::Failing)
    }
}

/// A value that cannot be opened never will be; a key table that cannot be reached will.
impl From<KeyringError> for ApplyError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::UnknownKey(_)
            | KeyringError::DamagedKey(_)
            | KeyringError::Malformed
            | KeyringError::WrongSubject
            | KeyringError::Tampered
            | KeyringError::NotText => Self::Failing(error.to_string()),
            KeyringError::WrongRootKey { .. }
            | KeyringError::RootCheckMissing
            | KeyringError::RootKey(_)
            | KeyringError::Destroyed(_)
            | KeyringError::NotRotatable
            | KeyringError::RotationContended
            | KeyringError::Table(_) => Self::Unavailable(Box::new(error)),
        }
    }
}

/// What must be one row, written by an earlier event of the same stream.
pub(crate) fn one_row(done: &sqlx::postgres::PgQueryResult, what: &str) -> Result<(), ApplyError> {
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(ApplyError::failing(format!("there is no row of this {what}"))),
    }
}

/// The same for so many rows, each written by an earlier event of its stream.
pub(crate) fn all_rows(
    done: &sqlx::postgres::PgQueryResult,
    rows: usize,
    what: &str,
) -> Result<(), ApplyError> {
    match u64::try_from(rows) {
        Ok(expected) if expected == done.rows_affected() => Ok(()),
        _ => Err(ApplyError::failing(format!("there is no row of this {what}"))),
    }
}
