//! Wrapped keys in Postgres, outside the event log, so that erasing one erases what it sealed (DESIGN 5).

use async_trait::async_trait;
use keynest_crypto::{KeyTable, KeyTableError, NewKey, WrappedKey, key_table::PAGE_MAX};
use keynest_domain::{KeyId, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Row, query};
use time::OffsetDateTime;
use uuid::Uuid;

/// How often an insert is tried while another process retires the key of the same name.
const INSERT_TRIES_MAX: u32 = 8;

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "select id, name, wrapped, root_id, created_at, retired_at, destroyed_at from store.data_keys ",
            $rest
        )
    };
}

/// The table `store.data_keys`. An erased key's old row version stays in the files until Postgres vacuums it and in
/// the write-ahead log until that is recycled; it is wrapped there as it was in the table.
#[derive(Clone, Debug)]
pub struct PostgresKeyTable(PgPool);

impl PostgresKeyTable {
    /// On the `store` pool, since a key must be durable before the append that uses it.
    pub fn new(pool: PgPool) -> Self {
        Self(pool)
    }
}

#[async_trait]
impl KeyTable for PostgresKeyTable {
    async fn get(&self, ids: &[KeyId]) -> Result<Vec<WrappedKey>, KeyTableError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.get()).collect();
        let rows = query(select_keys!("where id = any($1)")).bind(ids).fetch_all(&self.0).await;
        keys("get keys", rows)
    }

    async fn find(&self, name: &str) -> Result<Option<WrappedKey>, KeyTableError> {
        let row = query(select_keys!("where name = $1 and retired_at is null"))
            .bind(name)
            .fetch_optional(&self.0)
            .await;
        row.and_then(|row| row.as_ref().map(key).transpose()).map_err(failed("find a key"))
    }

    async fn history(&self, name: &str) -> Result<Vec<WrappedKey>, KeyTableError> {
        let rows = query(select_keys!("where name = $1 order by created_at desc, id desc"))
            .bind(name)
            .fetch_all(&self.0)
            .await;
        keys("list the keys of a name", rows)
    }

    async fn insert_if_absent(&self, key: NewKey) -> Result<WrappedKey, KeyTableError> {
        for _ in 0..INSERT_TRIES_MAX {
            query(
                "insert into store.data_keys (id, name, wrapped, root_id) values ($1, $2, $3, $4) \
                 on conflict (name) where retired_at is null do nothing",
            )
            .bind(key.id.get())
            .bind(&key.name)
            .bind(&key.wrapped)
            .bind(&key.root_id)
            .execute(&self.0)
            .await
            .map_err(failed("insert a key"))?;
            if let Some(current) = self.find(&key.name).await? {
                return Ok(current);
            }
        }
        Err(KeyTableError::new("insert a key", "it was retired each time it was looked for"))
    }

    async fn list(
        &self,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<WrappedKey>, KeyTableError> {
        let rows = query(select_keys!("where $1::uuid is null or id > $1 order by id limit $2"))
            .bind(after.map(|id| id.get()))
            .bind(i64::try_from(limit.min(PAGE_MAX)).unwrap_or(i64::MAX))
            .fetch_all(&self.0)
            .await;
        keys("list keys", rows)
    }

    async fn replace_wrapping(
        &self,
        id: KeyId,
        old: &[u8],
        wrapped: &[u8],
        root_id: &str,
    ) -> Result<bool, KeyTableError> {
        let done = query(
            "update store.data_keys set wrapped = $3, root_id = $4 \
             where id = $1 and wrapped = $2 and destroyed_at is null",
        )
        .bind(id.get())
        .bind(old)
        .bind(wrapped)
        .bind(root_id)
        .execute(&self.0)
        .await
        .map_err(failed("replace a wrapping"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn retire(&self, id: KeyId) -> Result<(), KeyTableError> {
        query("update store.data_keys set retired_at = clock_timestamp() where id = $1 and retired_at is null")
            .bind(id.get())
            .execute(&self.0)
            .await
            .map(drop)
            .map_err(failed("retire a key"))
    }

    async fn destroy(&self, id: KeyId) -> Result<(), KeyTableError> {
        query(
            "update store.data_keys set wrapped = '', destroyed_at = clock_timestamp() \
             where id = $1 and destroyed_at is null",
        )
        .bind(id.get())
        .execute(&self.0)
        .await
        .map(drop)
        .map_err(failed("destroy a key"))
    }
}

fn keys(
    attempted: &'static str,
    rows: Result<Vec<PgRow>, sqlx::Error>,
) -> Result<Vec<WrappedKey>, KeyTableError> {
    rows.and_then(|rows| rows.iter().map(key).collect()).map_err(failed(attempted))
}

fn key(row: &PgRow) -> Result<WrappedKey, sqlx::Error> {
    let time = |at: OffsetDateTime| Timestamp::from(at);
    Ok(WrappedKey {
        id: KeyId::new(row.try_get(0)?),
        name: row.try_get(1)?,
        wrapped: row.try_get(2)?,
        root_id: row.try_get(3)?,
        created_at: time(row.try_get(4)?),
        retired_at: row.try_get::<Option<_>, _>(5)?.map(time),
        destroyed_at: row.try_get::<Option<_>, _>(6)?.map(time),
    })
}

fn failed(attempted: &'static str) -> impl Fn(sqlx::Error) -> KeyTableError {
    move |error| KeyTableError::new(attempted, error)
}
