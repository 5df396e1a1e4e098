//! Last uses of tokens in Postgres.

use std::collections::HashMap;

use keynest_domain::{Timestamp, TokenId};
use sqlx::postgres::PgPool;
use sqlx::{query, query_as};
use time::OffsetDateTime;

use super::fault::unreadable;
use crate::port::ReadError;

/// Several processes write together; the latest stays.
pub async fn write(pool: &PgPool, token: TokenId, at: Timestamp) -> Result<(), ReadError> {
    query(
        "insert into store.token_uses (token, used_at) values ($1, $2) on conflict (token) do update \
         set used_at = excluded.used_at where token_uses.used_at < excluded.used_at",
    )
    .bind(token.get())
    .bind(OffsetDateTime::from(at))
    .execute(pool)
    .await
    .map_err(unreadable)?;
    Ok(())
}

pub async fn read(pool: &PgPool, of: &[TokenId]) -> Result<HashMap<TokenId, Timestamp>, ReadError> {
    let ids: Vec<i64> = of.iter().map(|id| id.get()).collect();
    let rows: Vec<(i64, OffsetDateTime)> = query_as(
        "select token, used_at from store.token_uses where token = any($1) order by token limit 10000",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await
    .map_err(unreadable)?;
    Ok(rows.into_iter().map(|(id, at)| (TokenId::new(id), at.into())).collect())
}
