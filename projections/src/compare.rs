//! Rebuilt equals live, row by row: digests of the live tables and of a fresh replay.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::checkpoint;
use crate::projections::Projections;
use crate::rebuild::RebuildError;

/// The content of a table: how many rows, and the SHA-256 over the sorted SHA-256s of their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TableDigest {
    pub rows: i64,
    /// Hexadecimal.
    pub sha256: String,
}

/// A table as it is and as a replay makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TableComparison {
    pub table: &'static str,
    pub live: TableDigest,
    pub rebuilt: TableDigest,
}

impl TableComparison {
    /// Whether both have the same rows.
    pub fn is_equal(&self) -> bool {
        self.live == self.rebuilt
    }
}

impl Projections {
    /// Digests the live tables of a projection within one snapshot, replays the log up to that
    /// snapshot's checkpoint beside them, and digests the result. Changes nothing that is live.
    pub async fn compare_with_rebuild(
        &self,
        name: &str,
    ) -> Result<Vec<TableComparison>, RebuildError> {
        let beside = self.beside(name).await?;
        let projection = &*beside.runner.projection;
        let compared = async {
            let mut snapshot = self.read.begin().await?;
            sqlx::query("set transaction isolation level repeatable read, read only")
                .execute(&mut *snapshot)
                .await?;
            let checkpoint = checkpoint::read(projection.name(), &mut snapshot).await?;
            let live = digests(projection.tables(), &mut snapshot).await?;
            snapshot.commit().await?;
            let mut at = beside.runner.load().await?;
            if let Some(checkpoint) = checkpoint {
                beside.replay(&mut at, checkpoint.position, &|_| ()).await?;
            }
            let mut rows = beside.runner.rows.begin().await?;
            let rebuilt = digests(projection.tables(), &mut rows).await?;
            rows.commit().await?;
            let pairs = projection.tables().iter().zip(live.into_iter().zip(rebuilt));
            let compared =
                pairs.map(|(&table, (live, rebuilt))| TableComparison { table, live, rebuilt });
            Ok::<_, RebuildError>(compared.collect())
        }
        .await;
        beside.drop_schema(&self.read).await?;
        compared
    }
}

async fn digests(
    tables: &[&str],
    rows: &mut PgConnection,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    // Whole tables take as long as they take.
    sqlx::query("set local statement_timeout = 0").execute(&mut *rows).await?;
    let mut digests = Vec::with_capacity(tables.len());
    for table in tables {
        let statement = format!(
            "select count(*), encode(sha256(coalesce(string_agg(sha, ''::bytea order by sha), ''::bytea)), 'hex')
             from (select sha256(convert_to({table}::text, 'UTF8')) as sha from {table}) shas"
        );
        let row = sqlx::query(AssertSqlSafe(statement)).fetch_one(&mut *rows).await?;
        digests.push(TableDigest { rows: row.try_get(0)?, sha256: row.try_get(1)? });
    }
    Ok(digests)
}
