//! Runs one reactor: the feed in order, failures into the work table, the checkpoint behind what is settled.

use std::sync::Arc;
use std::time::Duration;

use keynest_commands::Clock;
use keynest_crypto::random;
use keynest_store::{Position, ReadError, Recorded, decode};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio_util::sync::CancellationToken;

use crate::backoff::due_at;
use crate::feed::Feed;
use crate::reactor::{Delivery, Reactor, WorkError};
use crate::work::WorkTable;

/// Events taken from the feed at once.
const BATCH_EVENTS_MAX: usize = 256;
/// Due work taken at once.
const DUE_MAX: i64 = 64;
/// How often due work is looked for, and a failed start is tried again.
const TICK: Duration = Duration::from_secs(1);

/// Why a consumer stopped; it is started again.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The feed cannot be read.
    #[error("read the feed")]
    Feed(#[from] ReadError),
    /// Checkpoints or work cannot be kept.
    #[error("keep the work table")]
    Table(#[from] sqlx::Error),
    /// Another process moved the checkpoint.
    #[error("another consumer moved the checkpoint of {0}")]
    Overtaken(&'static str),
}

/// One reactor with its place in the feed.
pub struct Consumer {
    feed: Feed,
    table: WorkTable,
    pool: PgPool,
    clock: Clock,
    reactor: Arc<dyn Reactor>,
}

impl Consumer {
    /// Puts a consumer together; `pool` is the durable one.
    pub fn new(feed: Feed, pool: PgPool, clock: Clock, reactor: Arc<dyn Reactor>) -> Self {
        Self { feed, table: WorkTable::new(pool.clone()), pool, clock, reactor }
    }

    /// Runs until it is cancelled; only one process runs a durable at a time.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.lead() => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(
                    durable = self.reactor.durable(),
                    error = &error as &dyn std::error::Error,
                    "consumer stopped"
                );
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Settles everything that is in the log now, and all work that is or will be due. For tests and one-off runs.
    pub async fn drain(&self) -> Result<(), ConsumerError> {
        let mut from = self.start().await?;
        loop {
            let batch = self.feed.read(from, BATCH_EVENTS_MAX).await?;
            let Some(last) = batch.last().map(|recorded| recorded.position) else { break };
            self.settle(&batch, from).await?;
            from = last;
        }
        self.retry_due().await
    }

    async fn start(&self) -> Result<Position, ConsumerError> {
        let head = self.feed.head().await?;
        let durable = self.reactor.durable();
        Ok(self.table.checkpoint(durable, self.feed.incarnation(), head, self.clock.now()).await?)
    }

    /// Takes the lead of this durable, for as long as this connection lives, and follows the feed.
    async fn lead(&self) -> Result<(), ConsumerError> {
        let Some(mut lead) = self.try_lead().await? else { return Ok(()) };
        let mut from = self.start().await?;
        let mut following = self.feed.follow(from);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                batch = following.next_batch(BATCH_EVENTS_MAX) => {
                    let batch = batch?;
                    if let Some(last) = batch.last().map(|recorded| recorded.position) {
                        self.settle(&batch, from).await?;
                        from = last;
                    }
                }
                _ = tick.tick() => {
                    // The lead is a lock of this connection: if that is gone, so is the lead.
                    sqlx::query("select 1").execute(&mut *lead).await?;
                    self.retry_due().await?;
                }
            }
        }
    }

    async fn try_lead(&self) -> Result<Option<PoolConnection<Postgres>>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        // Closing instead of returning it to the pool gives the lock back.
        connection.close_on_drop();
        let name = format!("keynest consumer {}", self.reactor.durable());
        let row = sqlx::query!(
            r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "is_lead!""#,
            name
        )
        .fetch_one(&mut *connection)
        .await?;
        Ok(row.is_lead.then_some(connection))
    }

    async fn settle(&self, batch: &[Recorded], from: Position) -> Result<(), ConsumerError> {
        let durable = self.reactor.durable();
        for recorded in batch.iter().filter(|recorded| self.reactor.wants(&recorded.name)) {
            if let Err(error) = self.handle(recorded).await {
                self.put_off(recorded, 1, &error).await?;
            }
        }
        let Some(last) = batch.last() else { return Ok(()) };
        if self.table.advance(durable, from, last.position, self.clock.now()).await? {
            Ok(())
        } else {
            Err(ConsumerError::Overtaken(durable))
        }
    }

    async fn retry_due(&self) -> Result<(), ConsumerError> {
        let durable = self.reactor.durable();
        for work in self.table.due(durable, self.clock.now(), DUE_MAX).await? {
            let Some(recorded) = self.feed.event_at(work.position).await? else { continue };
            match self.handle(&recorded).await {
                Ok(()) => self.table.finish(durable, work.event_id).await?,
                Err(error) => self.put_off(&recorded, work.attempts + 1, &error).await?,
            }
        }
        Ok(())
    }

    async fn handle(&self, recorded: &Recorded) -> Result<(), WorkError> {
        let event = decode(recorded).map_err(|error| WorkError::Retry(error.to_string()))?;
        let delivery = Delivery { recorded: recorded.clone(), event };
        self.reactor.handle(&delivery).await
    }

    async fn put_off(
        &self,
        recorded: &Recorded,
        attempts: u32,
        error: &WorkError,
    ) -> Result<(), ConsumerError> {
        let now = self.clock.now();
        let random = random::bits128().to_le_bytes()[0];
        let due_at = match error {
            WorkError::Retry(_) => due_at(attempts, now, random),
            WorkError::GiveUp(_) => None,
        };
        let durable = self.reactor.durable();
        tracing::warn!(durable, event.id = %recorded.event_id, attempts, is_dead = due_at.is_none(), %error, "work put off");
        metrics::counter!("keynest_work_put_off_total", "durable" => durable).increment(1);
        self.table.put_off(durable, recorded, attempts, due_at, &error.to_string(), now).await?;
        Ok(())
    }
}
