//! The log in Postgres (DESIGN 4): gapless positions by a counter row, group commit, subscriptions.

pub mod backup;
mod batch;
mod committer;
mod fault;
mod follow;
mod handover;
mod idempotency;
mod key_table;
mod migrate;
mod options;
mod processes;
mod quota;
mod read;
mod self_check;
mod silence;
mod stream_names;
pub(crate) mod token_uses;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use keynest_domain::{CommandId, StreamName, Timestamp};
use sqlx::postgres::PgPool;
use tokio::sync::watch;

pub(crate) use fault::unreadable;
pub use idempotency::PostgresIdempotency;
pub use key_table::PostgresKeyTable;
pub use migrate::{
    LOCK_WAIT_MAX, MIGRATOR, Steps, contract, contracts_below, migrate, migrate_schema, take_steps,
    taken_steps,
};
pub use options::{StoreOptions, connect_store_pool, connect_store_pool_with, trusting};
pub use processes::{GONE_AFTER, HEARTBEAT_EVERY, Introduction, Presence, Process, RaiseError};
pub use quota::PostgresQuotas;
pub use self_check::OpenError;
pub use silence::{SILENCE_MAX, answered, hear, watched};
pub use verify::{Finding, Progress, Report, verify};

use crate::admission::Admitted;
use crate::event_store::EventStore;
use crate::format::Levels;
use crate::port::*;
use committer::{News, Queue};
use follow::Follower;
use handover::Handover;
use stream_names::StreamNames;

/// The log in one Postgres database. Clones share everything; the tasks behind it end with the last one.
#[derive(Clone, Debug)]
pub struct Postgres(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    queue: Queue,
    names: StreamNames,
    news: News,
    incarnation: Incarnation,
    /// Longest wait for what is read.
    answer_max: Duration,
    levels: Arc<Levels>,
    _follower: Follower,
}

/// Begins a new life of the log, after a restore: whatever remembers positions of the old one must start over.
pub async fn renew_incarnation(pool: &PgPool) -> Result<Incarnation, OpenError> {
    sqlx::query_scalar("update store.log set incarnation = gen_random_uuid() returning incarnation")
        .fetch_one(pool)
        .await
        .map(Incarnation::new)
        .map_err(OpenError::Unavailable)
}

impl Postgres {
    /// Where the last uses of tokens are noted.
    pub(crate) fn token_uses(&self) -> crate::TokenUses {
        crate::TokenUses::in_table(self.0.pool.clone())
    }

    /// Checks the log and starts the tasks. `pool` is from [`connect_store_pool`], its tables are migrated.
    pub async fn open(pool: PgPool, options: &StoreOptions) -> Result<Self, OpenError> {
        let (incarnation, levels) = self_check::self_check(&pool, options.format).await?;
        let position = read::head(&pool).await.map_err(OpenError::Unavailable)?;
        let news = News {
            handover: Arc::new(Handover::new(options)),
            head: watch::Sender::new(position),
            appender: Arc::default(),
        };
        let queue = Queue::start(pool.connect_options(), options, news.clone());
        let _follower = Follower::start(&pool, options, &news);
        Ok(Self(Arc::new(Shared {
            pool,
            queue,
            names: StreamNames::default(),
            news,
            incarnation,
            answer_max: options.answer_max(),
            levels: Arc::new(levels),
            _follower,
        })))
    }

    /// The `store` pool, for what else lives in that schema.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }

    pub(crate) async fn append(&self, request: Admitted) -> Result<Appended, AppendError> {
        self.0.queue.append(request).await
    }

    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        // No stream has such a name, and Postgres would not take it for an argument.
        if stream.as_str().contains('\0') {
            return Ok(Vec::new());
        }
        self.heard(read::stream(&self.0.pool, stream, after, limit)).await
    }

    pub(crate) async fn stream_revision(&self, stream: &StreamName) -> Result<Revision, ReadError> {
        if stream.as_str().contains('\0') {
            return Ok(Revision::NONE);
        }
        self.heard(read::stream_revision(&self.0.pool, stream)).await
    }

    pub(crate) async fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        self.heard(read::all(&self.0.pool, &self.0.names, after, limit)).await
    }

    pub(crate) async fn read_these(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Recorded>, ReadError> {
        self.heard(read::these(&self.0.pool, &self.0.names, positions)).await
    }

    pub(crate) async fn resolve(
        &self,
        claim: &ClaimKey,
    ) -> Result<Option<(StreamName, Revision)>, ReadError> {
        if claim.as_str().contains('\0') {
            return Ok(None);
        }
        self.heard(read::resolve(&self.0.pool, claim)).await
    }

    pub(crate) async fn claims_of(&self, stream: &StreamName) -> Result<Vec<ClaimKey>, ReadError> {
        self.heard(read::claims_of(&self.0.pool, stream)).await
    }

    pub(crate) async fn claims_under(
        &self,
        prefix: &ClaimKey,
        limit: usize,
    ) -> Result<Vec<ClaimKey>, ReadError> {
        self.heard(read::claims_under(&self.0.pool, prefix, limit)).await
    }

    pub(crate) async fn lookup(&self, command: CommandId) -> Result<Option<Appended>, ReadError> {
        self.heard(read::lookup(&self.0.pool, command)).await
    }

    pub(crate) async fn head(&self) -> Result<Position, ReadError> {
        let head = self.heard(read::head(&self.0.pool)).await?;
        raise_head(&self.0.news.head, head);
        Ok(head)
    }

    pub(crate) async fn clock(&self) -> Result<Timestamp, ReadError> {
        self.heard(read::clock(&self.0.pool)).await.map(Timestamp::from)
    }

    async fn heard<T>(
        &self,
        call: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, ReadError> {
        answered(self.0.answer_max, call).await.map_err(unreadable)
    }

    pub(crate) fn levels(&self) -> &Arc<Levels> {
        &self.0.levels
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    pub(crate) fn watch_head(&self) -> watch::Receiver<Position> {
        self.0.news.head.subscribe()
    }

    /// See [`Handover::after`].
    pub(crate) fn handed_over(&self, after: Position, limit: usize) -> Vec<Recorded> {
        self.0.news.handover.after(after, limit)
    }
}

impl From<Postgres> for EventStore {
    fn from(postgres: Postgres) -> Self {
        Self::Postgres(postgres)
    }
}

/// Wakes subscribers if this is news. Positions only rise, whoever tells them.
fn raise_head(head: &watch::Sender<Position>, position: Position) {
    head.send_if_modified(|known| {
        let is_news = position > *known;
        *known = position.max(*known);
        is_news
    });
}
