//! What Postgres does by itself, over one connection.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use crate::samples::Samples;

/// Bytes of a payload, about those of a variable's creation.
const PAYLOAD_BYTES: usize = 260;
/// Where inserts go that are taken back: behind every event.
const FAR: i64 = 1 << 50;
const SCANS: usize = 3;

/// The insert of `append_batch`, without what it decides.
const INSERT: &str = "insert into store.events (position, stream_id, revision, recorded_at, actor, organization, event_id, \
     command_id, session, request, causation, correlation, version, content_type, type, client, data) \
     select e.n, $1 + e.n, 1, clock_timestamp(), 1, 1, e.id, e.id, e.id, e.id, null, e.id, 1, 1, 'variable.created', null, e.data \
     from unnest($2::bigint[], $3::uuid[], $4::bytea[]) e(n, id, data)";

/// All columns that a reader of the log asks for.
const SEND: &str = "copy (select * from store.events order by position) to stdout (format binary)";

/// F: one row into a table with nothing else, committed.
pub async fn plain_commits(connection: &mut PgConnection, turns: usize) -> anyhow::Result<Samples> {
    let table = "create table if not exists public.plain (n bigint)";
    sqlx::raw_sql(table).execute(&mut *connection).await?;
    let mut samples = Samples::default();
    for n in 0..turns {
        let began = Instant::now();
        query("insert into public.plain values ($1)")
            .bind(i64::try_from(n)?)
            .execute(&mut *connection)
            .await?;
        samples.push(began.elapsed());
    }
    Ok(samples)
}

/// I(n): so many rows into the table of events by one statement, without its commit.
#[expect(clippy::disallowed_methods, reason = "names rows that are taken back")]
pub async fn inserts(
    connection: &mut PgConnection,
    rows: usize,
    turns: usize,
) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    let payloads: Vec<Vec<u8>> = vec![vec![b'x'; PAYLOAD_BYTES]; rows];
    let places: Vec<i64> = (0..i64::try_from(rows)?).map(|n| FAR + n).collect();
    for _ in 0..turns.max(1) {
        let ids: Vec<Uuid> = (0..rows).map(|_| Uuid::new_v4()).collect();
        query("begin").execute(&mut *connection).await?;
        let began = Instant::now();
        query(INSERT)
            .bind(FAR)
            .bind(&places)
            .bind(&ids)
            .bind(&payloads)
            .execute(&mut *connection)
            .await?;
        samples.push(began.elapsed());
        query("rollback").execute(&mut *connection).await?;
    }
    Ok(samples)
}

/// Events a second.
pub struct Scans {
    /// Looked at by the server, nothing sent.
    pub scanned: f64,
    /// Sent to a client that does not look at them.
    pub sent: f64,
    /// Written into another table by the server.
    pub inserted: f64,
}

/// The best of some turns over the whole log.
pub async fn scan(connection: &mut PgConnection) -> anyhow::Result<Scans> {
    // One process, as everything that it is compared with.
    query("set max_parallel_workers_per_gather = 0").execute(&mut *connection).await?;
    let mut best = Scans { scanned: 0.0, sent: 0.0, inserted: 0.0 };
    for _ in 0..SCANS {
        let began = Instant::now();
        let count: i64 = query_scalar("select count(data) from store.events where data <> ''")
            .fetch_one(&mut *connection)
            .await?;
        best.scanned = best.scanned.max(rate(count, began.elapsed()));
        let began = Instant::now();
        let mut sent = connection.copy_out_raw(SEND).await?;
        while sent.try_next().await?.is_some() {}
        drop(sent);
        best.sent = best.sent.max(rate(count, began.elapsed()));
        sqlx::raw_sql("create unlogged table public.copied (like store.events including indexes)")
            .execute(&mut *connection)
            .await?;
        let began = Instant::now();
        query("insert into public.copied select * from store.events")
            .execute(&mut *connection)
            .await?;
        best.inserted = best.inserted.max(rate(count, began.elapsed()));
        sqlx::raw_sql("drop table public.copied").execute(&mut *connection).await?;
    }
    Ok(best)
}

fn rate(count: i64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(1e-9)
}

/// Appends a second that a batch of so many allows: one insert and one flush for all of them.
pub fn appends_allowed(batch: f64, flush_ms: f64, insert_ms: f64) -> f64 {
    batch / ((flush_ms + insert_ms) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_shares_one_flush() {
        assert_eq!(appends_allowed(1.0, 0.5, 0.5), 1_000.0);
        assert_eq!(appends_allowed(64.0, 1.0, 3.0), 16_000.0);
    }

    #[test]
    fn a_rate_is_over_seconds() {
        assert_eq!(rate(500, Duration::from_millis(250)), 2_000.0);
    }
}
