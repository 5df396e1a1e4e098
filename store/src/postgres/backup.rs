//! The store's tables as copies: out of one snapshot, and into an empty database in one transaction. In Postgres's binary
//! COPY format, which carries bytes as they are.

use bytes::Bytes;
use futures::stream::BoxStream;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::{AssertSqlSafe, Transaction};
use uuid::Uuid;

use super::batch::position;
use crate::port::{Incarnation, Position};

/// What the log is. `effects` belongs to it: which mails went out.
pub const LOG_TABLES: [&str; 6] = ["log", "streams", "commands", "claims", "events", "effects"];
/// What opens it, kept apart.
pub const KEY_TABLES: [&str; 1] = ["data_keys"];
/// What is not copied: it is made anew, is worth nothing after a restore, or would do again what was done.
pub const LEFT_OUT: [&str; 10] = [
    "_sqlx_migrations",
    "abandoned",
    "consumers",
    "idempotency",
    "mailbox",
    "processes",
    "quotas",
    "session_uses",
    "token_uses",
    "work",
];

/// Nothing ends a copy but its end: who writes it away may be slower than an answer is waited for.
const SETTINGS: &str =
    "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
    set local lock_timeout = 0; set local tcp_user_timeout = 0";

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum LoadError {
    #[error("write into the database")]
    Database(#[from] sqlx::Error),
    #[error("there is data in this database; restore into an empty one")]
    NotEmpty,
    #[error("this version has no column {column} in the table {table}")]
    UnknownColumn { table: String, column: String },
}

/// All tables at one moment, while others go on writing.
pub struct Snapshot(Transaction<'static, Postgres>);

impl Snapshot {
    /// Of now.
    pub async fn take(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let begin = "begin isolation level repeatable read, read only";
        let mut transaction = pool.begin_with(begin).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut *transaction).await?;
        Ok(Self(transaction))
    }

    /// Which life of the log it is, and how far it goes.
    pub async fn head(&mut self) -> Result<(Incarnation, Position), sqlx::Error> {
        let (incarnation, head): (Uuid, i64) =
            sqlx::query_as("select incarnation, position from store.log")
                .fetch_one(&mut *self.0)
                .await?;
        Ok((Incarnation::new(incarnation), position(head)))
    }

    /// The root keys that its data keys are wrapped by.
    pub async fn root_keys(&mut self) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "select distinct root_id from store.data_keys where destroyed_at is null order by root_id",
        )
        .fetch_all(&mut *self.0)
        .await
    }

    /// The columns of a table, in their order.
    pub async fn columns(&mut self, table: &str) -> Result<Vec<String>, sqlx::Error> {
        columns(table, &mut self.0).await
    }

    /// A table's rows. To be read to the end.
    pub async fn rows<'a>(
        &'a mut self,
        table: &str,
        columns: &[String],
    ) -> Result<BoxStream<'a, Result<Bytes, sqlx::Error>>, sqlx::Error> {
        let columns = columns.join(", ");
        let copy = format!("copy store.{table} ({columns}) to stdout (format binary)");
        self.0.copy_out_raw(&copy).await
    }
}

/// Copies on their way into a database; nothing is there before [`Loading::finish`].
pub struct Loading(Transaction<'static, Postgres>);

impl Loading {
    /// Into migrated tables that hold nothing.
    pub async fn begin(pool: &PgPool) -> Result<Self, LoadError> {
        let mut transaction = pool.begin().await?;
        sqlx::raw_sql(SETTINGS).execute(&mut *transaction).await?;
        // Nobody appends or makes keys meanwhile.
        sqlx::raw_sql("lock table store.log, store.data_keys in access exclusive mode")
            .execute(&mut *transaction)
            .await?;
        for table in ["streams", "data_keys"] {
            let holds = format!("select exists (select from store.{table})");
            if sqlx::query_scalar(AssertSqlSafe(holds)).fetch_one(&mut *transaction).await? {
                return Err(LoadError::NotEmpty);
            }
        }
        sqlx::raw_sql("delete from store.log").execute(&mut *transaction).await?;
        Ok(Self(transaction))
    }

    /// A table's rows from its copy.
    pub async fn table(
        &mut self,
        table: &str,
        named: &[String],
        copy: impl tokio::io::AsyncRead + Unpin,
    ) -> Result<u64, LoadError> {
        let known = columns(table, &mut self.0).await?;
        if let Some(column) = named.iter().find(|column| !known.contains(column)) {
            let (table, column) = (table.to_owned(), column.clone());
            return Err(LoadError::UnknownColumn { table, column });
        }
        let statement =
            format!("copy store.{table} ({}) from stdin (format binary)", named.join(", "));
        let mut rows = self.0.copy_in_raw(&statement).await?;
        if let Err(error) = rows.read_from(copy).await {
            let _ = rows.abort("the copy cannot be read").await;
            return Err(error.into());
        }
        Ok(rows.finish().await?)
    }

    /// Begins another life of the log, in which a restore is still to be finished.
    pub async fn finish(mut self) -> Result<(), LoadError> {
        begin_restore(&mut self.0).await?;
        self.0.commit().await?;
        Ok(())
    }
}

/// Another life of a log that something else than [`Loading`] restored, in which the restore is still to be finished.
/// `false` if there is no event in it.
pub async fn begin_restore_in_place(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let begun = begin_restore(&mut transaction).await?;
    transaction.commit().await?;
    Ok(begun)
}

/// Whether a restore has begun and not been finished.
pub async fn is_restore_begun(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select restore_begun from store.log").fetch_one(pool).await
}

/// What consumers of the log remember is forgotten, and the restore is over. Answers how many deeds were waiting to be
/// tried again.
pub async fn finish_restore(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let waiting = sqlx::raw_sql("delete from store.work").execute(&mut *transaction).await?;
    sqlx::raw_sql(
        "delete from store.idempotency; delete from store.quotas;
         update store.consumers c set incarnation = l.incarnation, position = l.position from store.log l;
         update store.log set restore_begun = false",
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(waiting.rows_affected())
}

async fn begin_restore(
    transaction: &mut Transaction<'static, Postgres>,
) -> Result<bool, sqlx::Error> {
    let begin = "update store.log set incarnation = gen_random_uuid(), restore_begun = true where position > 0";
    let begun = sqlx::raw_sql(begin).execute(&mut **transaction).await?;
    Ok(begun.rows_affected() == 1)
}

async fn columns(
    table: &str,
    transaction: &mut Transaction<'static, Postgres>,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select quote_ident(column_name) from information_schema.columns
         where table_schema = 'store' and table_name = $1 order by ordinal_position",
    )
    .bind(table)
    .fetch_all(&mut **transaction)
    .await
}
