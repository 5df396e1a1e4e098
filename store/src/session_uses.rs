//! When sessions were last used: no event, so no part of the log and of no rebuild (DESIGN 12). A use is noted in memory
//! and written now and then, at most once a minute for a session, however many processes see it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keynest_domain::{Lifetime, SessionId, Timestamp, session};
use sqlx::postgres::PgPool;
use sqlx::{query, query_as};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event_store::EventStore;
use crate::port::ReadError;
use crate::postgres::unreadable;

/// Between two writes of one session.
pub const SESSION_USE_NOTED_EVERY: Lifetime = Lifetime::from_minutes(1);
/// How long a use is remembered: longer than a session lives.
pub const SESSION_USE_KEPT: Lifetime = session::ABSOLUTE;
/// Sessions remembered in memory; more are not noted until the next round.
const SESSIONS_MAX: usize = 100_000;
/// Between two rounds of writing.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// Rounds between two looks for what is too old: an hour.
const PRUNED_EVERY: u64 = 720;

/// Clones share everything.
#[derive(Clone, Debug)]
pub struct SessionUses(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None`: in this process only, for tests.
    pool: Option<PgPool>,
    seen: Mutex<HashMap<SessionId, Seen>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Timestamp,
    is_written: bool,
}

impl SessionUses {
    /// Beside the log.
    pub fn beside(store: &EventStore) -> Self {
        let pool = match store {
            EventStore::Memory(_) => None,
            EventStore::Postgres(postgres) => Some(postgres.pool().clone()),
            EventStore::Kurrent(kurrent) => kurrent.beside().map(|it| it.pool().clone()),
        };
        Self(Arc::new(Inner { pool, seen: Mutex::default() }))
    }

    /// Notes a use, unless there was one less than a minute ago. Only memory is touched.
    pub fn note(&self, session: SessionId, at: Timestamp) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_noted =
            seen.get(&session).is_some_and(|seen| at < seen.at + SESSION_USE_NOTED_EVERY);
        if !is_noted && (seen.len() < SESSIONS_MAX || seen.contains_key(&session)) {
            seen.insert(session, Seen { at, is_written: false });
        }
    }

    /// Writes what was noted since the last time, and forgets what was written more than a minute before `now`.
    pub async fn flush(&self, now: Timestamp) -> Result<(), ReadError> {
        let noted: Vec<(SessionId, Timestamp)> = {
            let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.retain(|_, seen| !seen.is_written || now < seen.at + SESSION_USE_NOTED_EVERY);
            let noted = seen.iter().filter(|(_, seen)| !seen.is_written);
            noted.map(|(session, seen)| (*session, seen.at)).collect()
        };
        let Some(pool) = self.0.pool.as_ref().filter(|_| !noted.is_empty()) else { return Ok(()) };
        let (ids, times): (Vec<Uuid>, Vec<OffsetDateTime>) =
            noted.iter().map(|(id, at)| (id.get(), OffsetDateTime::from(*at))).unzip();
        // Another process may have written a moment ago.
        query(
            "insert into store.session_uses (session_id, used_at) \
             select * from unnest($1::uuid[], $2::timestamptz[]) order by 1 \
             on conflict (session_id) do update set used_at = excluded.used_at \
             where session_uses.used_at + make_interval(secs => $3) <= excluded.used_at",
        )
        .bind(ids)
        .bind(times)
        .bind(f64::from(SESSION_USE_NOTED_EVERY.secs()))
        .execute(pool)
        .await
        .map_err(unreadable)?;
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (session, at) in noted {
            if let Some(seen) = seen.get_mut(&session).filter(|seen| seen.at == at) {
                seen.is_written = true;
            }
        }
        Ok(())
    }

    /// When these sessions were used, as far as it was noted.
    pub async fn of(
        &self,
        sessions: &[SessionId],
    ) -> Result<HashMap<SessionId, Timestamp>, ReadError> {
        let Some(pool) = &self.0.pool else {
            let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let known = sessions.iter().filter_map(|id| Some((*id, seen.get(id)?.at)));
            return Ok(known.collect());
        };
        let ids: Vec<Uuid> = sessions.iter().map(|id| id.get()).collect();
        let rows: Vec<(Uuid, OffsetDateTime)> = query_as(
            "select session_id, used_at from store.session_uses where session_id = any($1) \
             order by session_id limit 10000",
        )
        .bind(ids)
        .fetch_all(pool)
        .await
        .map_err(unreadable)?;
        Ok(rows.into_iter().map(|(id, at)| (SessionId::new(id), at.into())).collect())
    }

    /// Takes away what no living session can need.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, ReadError> {
        let Some(pool) = &self.0.pool else { return Ok(0) };
        let done = query("delete from store.session_uses where used_at < $1")
            .bind(OffsetDateTime::from(now - SESSION_USE_KEPT))
            .execute(pool)
            .await
            .map_err(unreadable)?;
        Ok(done.rows_affected())
    }

    /// Writes and prunes for ever. What was noted in the last seconds may be lost with the process.
    pub async fn keep(&self, now: impl Fn() -> Timestamp) {
        for round in 0_u64.. {
            tokio::time::sleep(WRITE_EVERY).await;
            let done = match self.flush(now()).await {
                Ok(()) if round % PRUNED_EVERY == 0 => self.prune(now()).await.map(drop),
                done => done,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "uses of sessions are not written");
            }
        }
    }
}
