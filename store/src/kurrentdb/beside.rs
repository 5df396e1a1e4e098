//! The database beside a log in a cluster: it belongs to that log, and to no other (migration 0135).

use sqlx::postgres::PgPool;
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::port::Incarnation;

/// Why a database and a log do not go together.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// The database has events of its own.
    #[error(
        "the database holds a log of its own: `store.url` is set before the first start, and not changed"
    )]
    HasEvents,
    /// It is another log's.
    #[error("the database belongs to another log than the one that `store.url` names")]
    OfAnother,
    /// The database cannot be used.
    #[error("look at the log in the database")]
    Unavailable(#[from] sqlx::Error),
}

/// Whether the log is kept in a cluster.
pub async fn is_kept_elsewhere(pool: &PgPool) -> Result<bool, sqlx::Error> {
    query_scalar("select kept_elsewhere is not null from store.log").fetch_one(pool).await
}

/// Says whose database it is, the first time; later, that it still is.
pub async fn keep_elsewhere(pool: &PgPool, incarnation: Incarnation) -> Result<(), BesideError> {
    query("update store.log set kept_elsewhere = $1 where kept_elsewhere is null and position = 0")
        .bind(incarnation.get())
        .execute(pool)
        .await?;
    let (position, kept): (i64, Option<Uuid>) =
        query_as("select position, kept_elsewhere from store.log").fetch_one(pool).await?;
    match kept {
        Some(kept) if kept == incarnation.get() => Ok(()),
        Some(_) => Err(BesideError::OfAnother),
        None if position > 0 => Err(BesideError::HasEvents),
        None => Err(BesideError::OfAnother),
    }
}
