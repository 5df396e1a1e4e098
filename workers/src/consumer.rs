//! Runs one reactor: the feed in order, failures into the work table, the checkpoint behind what is settled.

use std::sync::Arc;
use std::time::Duration;

use keynest_commands::Clock;
use keynest_store::{Position, ReadError, Recorded};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::attempt;
use crate::feed::Feed;
use crate::gauges;
use crate::lead::Lead;
use crate::reactor::Reactor;
use crate::work::WorkTable;

/// Events taken from the feed at once.
const BATCH_EVENTS_MAX: usize = 256;
/// Due work taken at once.
const DUE_MAX: i64 = 64;
/// How often due work is looked for, a checkpoint is written while nothing is wanted, and a failed start is repeated.
const TICK: Duration = Duration::from_secs(1);
/// How often work and lag are measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// How long a handler may take for one event before it is stopped and tried again later.
pub const HANDLE_MAX: Duration = Duration::from_secs(120);

/// Why a consumer stopped; it is started again.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The feed cannot be read.
    #[error("read the feed")]
    Feed(#[from] ReadError),
    /// Checkpoints or work cannot be kept.
    #[error("keep the work table")]
    Table(#[from] sqlx::Error),
    /// The connection that holds the lead is gone; another process may lead by now.
    #[error("keep the lead of {0}")]
    LeadLost(&'static str, #[source] sqlx::Error),
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
    handle_max: Duration,
}

/// How far a consumer has come.
struct Place {
    /// As the table has it: everything up to here is handled or in the work table.
    stored: Position,
    /// As this process has it: nothing between the two is wanted.
    seen: watch::Sender<Position>,
}

impl Consumer {
    /// Puts a consumer together; `pool` is the durable one.
    pub fn new(feed: Feed, pool: PgPool, clock: Clock, reactor: Arc<dyn Reactor>) -> Self {
        let table = WorkTable::new(pool.clone());
        Self { feed, table, pool, clock, reactor, handle_max: HANDLE_MAX }
    }

    /// With another limit than [`HANDLE_MAX`].
    #[must_use]
    pub fn handle_max(self, handle_max: Duration) -> Self {
        Self { handle_max, ..self }
    }

    /// Where it stands. A new one takes its place at the head of the log: whoever appends after this returned is heard.
    pub async fn start(&self) -> Result<Position, ConsumerError> {
        let head = self.feed.head().await?;
        let now = self.clock.now();
        Ok(self.table.checkpoint(self.durable(), self.feed.incarnation(), head, now).await?)
    }

    /// Runs until it is cancelled, and then finishes the event in hand. Any number of processes may run one durable:
    /// one leads, the others wait.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.lead(&stop).await {
                Ok(()) if !self.clock.is_wrong() => continue,
                Ok(()) => {}
                Err(error) => self.log_end(&error),
            }
            stop.run_until_cancelled(tokio::time::sleep(TICK)).await;
        }
    }

    fn log_end(&self, error: &ConsumerError) {
        let error: &dyn std::error::Error = error;
        tracing::warn!(durable = self.durable(), error, "consumer stopped, starting again");
    }

    /// Settles everything that is in the log now and all work that is due now, whoever leads: for tests.
    pub async fn drain(&self) -> Result<(), ConsumerError> {
        let never = CancellationToken::new();
        let mut place = Place::at(self.start().await?);
        let mut following = self.feed.follow(self.durable(), place.stored);
        let head = self.feed.head().await?;
        while *place.seen.borrow() < head {
            let batch = following.next_batch(BATCH_EVENTS_MAX).await?;
            self.settle(&batch, &mut place, &never).await?;
        }
        self.write(&mut place).await?;
        following.settled(place.stored);
        self.retry_due(&never).await
    }

    fn durable(&self) -> &'static str {
        self.reactor.durable()
    }

    async fn lead(&self, stop: &CancellationToken) -> Result<(), ConsumerError> {
        if self.clock.is_wrong() {
            // It would drop letters whose time is not over, and put work off for years.
            return Ok(());
        }
        let Some(mut lead) = Lead::win(&self.pool, self.durable(), stop).await? else {
            return Ok(());
        };
        let place = tokio::select! {
            error = lead.lost() => return Err(ConsumerError::LeadLost(self.durable(), error)),
            start = self.start() => Place::at(start?),
        };
        let seen = place.seen.subscribe();
        let lanes = async {
            tokio::try_join!(self.follow(place, stop), self.retry(stop), self.measure(seen, stop))
        };
        let ended = tokio::select! {
            error = lead.lost() => return Err(ConsumerError::LeadLost(self.durable(), error)),
            ended = lanes => ended,
        };
        ended?;
        Ok(lead.resign().await?)
    }

    async fn follow(
        &self,
        mut place: Place,
        stop: &CancellationToken,
    ) -> Result<(), ConsumerError> {
        let mut following = self.feed.follow(self.durable(), place.stored);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.write(&mut place).await,
                batch = following.next_batch(BATCH_EVENTS_MAX) => self.settle(&batch?, &mut place, stop).await?,
                _ = tick.tick() => self.write(&mut place).await?,
            }
            following.settled(place.stored);
        }
    }

    /// Handles what is wanted of a batch, in order. What fails is in the work table before the checkpoint passes it.
    async fn settle(
        &self,
        batch: &[Recorded],
        place: &mut Place,
        stop: &CancellationToken,
    ) -> Result<(), ConsumerError> {
        for recorded in batch {
            if stop.is_cancelled() {
                return Ok(());
            }
            if self.reactor.wants(&recorded.name) {
                let failed = attempt::run(&self.reactor, recorded, self.handle_max).await.err();
                let now = self.clock.now();
                let put_off =
                    failed.map(|error| attempt::put_off(self.durable(), recorded, 1, &error, now));
                let is_moved = self
                    .table
                    .settle(self.durable(), place.stored, recorded.position, put_off.as_ref(), now)
                    .await?;
                self.moved(is_moved, recorded.position, place)?;
            }
            place.seen.send_replace(recorded.position);
        }
        Ok(())
    }

    /// Writes the checkpoint behind events that nobody wanted.
    async fn write(&self, place: &mut Place) -> Result<(), ConsumerError> {
        let seen = *place.seen.borrow();
        if seen == place.stored {
            return Ok(());
        }
        let now = self.clock.now();
        let is_moved = self.table.settle(self.durable(), place.stored, seen, None, now).await?;
        self.moved(is_moved, seen, place)
    }

    fn moved(&self, is_moved: bool, to: Position, place: &mut Place) -> Result<(), ConsumerError> {
        if !is_moved {
            return Err(ConsumerError::Overtaken(self.durable()));
        }
        place.stored = to;
        Ok(())
    }

    /// A lane of its own, so that what fails again and again never holds up what is new.
    async fn retry(&self, stop: &CancellationToken) -> Result<(), ConsumerError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => self.retry_due(stop).await?,
            }
        }
    }

    async fn retry_due(&self, stop: &CancellationToken) -> Result<(), ConsumerError> {
        let durable = self.durable();
        for work in self.table.due(durable, self.clock.now(), DUE_MAX).await? {
            if stop.is_cancelled() {
                return Ok(());
            }
            let found = self.feed.event_at(work.position).await?;
            let Some(recorded) = found.filter(|it| it.event_id == work.event_id) else {
                // After a restore the log ends earlier, and other events may stand at its positions.
                tracing::warn!(durable, event.id = %work.event_id, "work dropped: its event is not in the log");
                self.table.finish(durable, work.event_id).await?;
                continue;
            };
            match attempt::run(&self.reactor, &recorded, self.handle_max).await {
                Ok(()) => self.table.finish(durable, work.event_id).await?,
                Err(error) => {
                    let now = self.clock.now();
                    let put_off =
                        attempt::put_off(durable, &recorded, work.attempts + 1, &error, now);
                    self.table.put_off_again(durable, &put_off).await?;
                }
            }
        }
        Ok(())
    }

    async fn measure(
        &self,
        seen: watch::Receiver<Position>,
        stop: &CancellationToken,
    ) -> Result<(), ConsumerError> {
        let mut tick = interval(MEASURE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {
                    let place = *seen.borrow();
                    gauges::measure(&self.feed, &self.table, self.durable(), place, self.clock.now()).await?;
                }
            }
        }
    }
}

impl Place {
    fn at(stored: Position) -> Self {
        Self { stored, seen: watch::Sender::new(stored) }
    }
}
