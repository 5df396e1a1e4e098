//! One projection at work: batches of the log become rows, each in one transaction with the checkpoint.

use std::collections::HashSet;
use std::sync::Arc;

use keynest_crypto::Keyring;
use keynest_domain::key::DataKey;
use keynest_domain::{Aggregate, KeyId, StreamName};
use keynest_store::{EventStore, Incarnation, Position, ReadError, Recorded};
use sqlx::PgPool;

use crate::batch::{self, Left};
use crate::checkpoint;
use crate::projection::{Projection, takes};
use crate::visibility::Visibility;

/// Events in one transaction.
pub(crate) const BATCH_EVENTS_MAX: usize = 1_000;

/// Why a projection is not going on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum RunnerError {
    /// The log cannot be read.
    #[error("read the log for a projection")]
    Log(#[from] ReadError),
    /// The rows cannot be written.
    #[error("write the rows of a projection")]
    Rows(#[from] sqlx::Error),
    /// Nothing was heard for far longer than a batch takes.
    #[error("the database did not answer")]
    Unanswered,
    /// The keyring or the database is away.
    #[error("apply events to a projection")]
    Apply(#[source] crate::error::ApplyError),
    /// Another runner has moved the checkpoint; it is to be read again.
    #[error("another runner has moved the checkpoint of {projection}")]
    Overtaken { projection: &'static str },
    /// The log was restored: positions before and after it do not compare. `keynest rebuild` resets it.
    #[error(
        "the rows of {projection} come from another life of the log; run `keynest rebuild {projection}`"
    )]
    OtherIncarnation { projection: &'static str, stored: Incarnation },
    /// The rows were written by another version of the projection. `keynest rebuild` replaces them.
    #[error(
        "the rows of {projection} are of version {stored}, this binary's are of version {current}; run `keynest rebuild {projection}`"
    )]
    OtherVersion { projection: &'static str, stored: i32, current: i32 },
}

/// A projection with everything it needs.
#[derive(Clone)]
pub(crate) struct Runner {
    pub projection: Arc<dyn Projection>,
    pub store: EventStore,
    pub rows: PgPool,
    pub keyring: Keyring,
    /// Whom to tell; nobody for a projection that is built beside the live one.
    pub visibility: Option<Visibility>,
}

/// How far a runner has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// Which tables it writes to.
    pub build: i32,
    /// As stored in the checkpoint.
    pub stored: Position,
    /// Everything up to here is in the rows or none of this projection's business.
    pub seen: Position,
    /// Streams that were left behind.
    pub parked: HashSet<StreamName>,
}

impl Runner {
    /// Reads the checkpoint, or makes one.
    pub async fn load(&self) -> Result<Progress, RunnerError> {
        let projection = self.projection.name();
        let mut rows = self.rows.acquire().await?;
        let found = match checkpoint::read(projection, &mut rows).await? {
            Some(found) => Some(found),
            None => {
                let incarnation = self.store.incarnation();
                checkpoint::create(&*self.projection, incarnation, &mut rows).await?;
                checkpoint::read(projection, &mut rows).await?
            }
        };
        let found = found.ok_or(sqlx::Error::RowNotFound)?;
        if found.incarnation != self.store.incarnation() {
            let stored = found.incarnation;
            return Err(RunnerError::OtherIncarnation { projection, stored });
        }
        if found.version != self.projection.version() {
            let (stored, current) = (found.version, self.projection.version());
            return Err(RunnerError::OtherVersion { projection, stored, current });
        }
        let parked = checkpoint::parked(projection, &mut rows).await?;
        self.publish(found.position);
        metrics::gauge!("keynest_projection_parked_streams", "projection" => projection)
            .set(u32::try_from(parked.len()).unwrap_or(u32::MAX));
        let parked = parked.into_iter().map(|parked| parked.stream).collect();
        let (build, stored, seen) = (found.build, found.position, found.position);
        Ok(Progress { build, stored, seen, parked })
    }

    /// One batch: rows and checkpoint together, or nothing. A batch without news for this projection
    /// only moves what is visible; the stored checkpoint follows by [`Runner::flush`].
    pub async fn take(
        &self,
        progress: &mut Progress,
        batch: &[Recorded],
    ) -> Result<(), RunnerError> {
        let Some(last) = batch.last() else { return Ok(()) };
        let mut news: Vec<&Recorded> = Vec::with_capacity(batch.len());
        news.extend(batch.iter().filter(|event| takes(&*self.projection, event)));
        // Events of parked streams move the checkpoint too: the attempt tells whether a rebuild has
        // taken the streams up again.
        let is_concerned = !news.is_empty();
        if is_concerned {
            // What stands before its first news is as good as visible, however long the rows take.
            self.pass_by(progress, batch);
        }
        news.retain(|event| !progress.parked.contains(&event.stream));
        if is_concerned {
            self.destroy_announced(&news).await?;
            let Left { parked, latency } =
                batch::write(self, progress, last.position, &news).await?;
            progress.stored = last.position;
            progress.parked.extend(parked.into_iter().map(|parked| parked.stream));
            self.report(progress, news.len(), latency);
        }
        progress.seen = last.position;
        self.publish(last.position);
        Ok(())
    }

    /// No projection passes `KeyDestroyed` before the key is gone: what comes later in the log opens as little as it
    /// will in a rebuild, and a crash between the event and the deed is mended here.
    async fn destroy_announced(&self, news: &[&Recorded]) -> Result<(), RunnerError> {
        let announced = news.iter().filter(|event| event.stream.category() == DataKey::CATEGORY);
        let ids: Vec<KeyId> =
            announced.filter_map(|event| event.stream.id().parse().ok()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let destroyed = self.keyring.destroy_all(&ids).await;
        destroyed.map_err(|error| RunnerError::Apply(error.into()))
    }

    /// Stores how far it has come through events that were none of its business.
    pub async fn flush(&self, progress: &mut Progress) -> Result<(), RunnerError> {
        if progress.stored == progress.seen {
            return Ok(());
        }
        let mut rows = self.rows.acquire().await?;
        let projection = self.projection.name();
        checkpoint::advance(projection, progress.build, progress.stored, progress.seen, &mut rows)
            .await?
            .ok_or(RunnerError::Overtaken { projection })?;
        progress.stored = progress.seen;
        Ok(())
    }

    /// Runs to the head and stops there.
    pub async fn catch_up(&self) -> Result<Progress, RunnerError> {
        let mut progress = self.load().await?;
        loop {
            let batch = self.store.read_all(progress.seen, BATCH_EVENTS_MAX).await?;
            if batch.is_empty() {
                self.flush(&mut progress).await?;
                return Ok(progress);
            }
            self.take(&mut progress, &batch).await?;
        }
    }

    fn pass_by(&self, progress: &mut Progress, batch: &[Recorded]) {
        let idle = batch.iter().take_while(|event| !takes(&*self.projection, event));
        if let Some(last) = idle.last() {
            progress.seen = last.position;
            self.publish(progress.seen);
        }
    }

    fn publish(&self, position: Position) {
        if let Some(visibility) = &self.visibility {
            visibility.publish(self.projection.name(), position);
        }
    }

    fn report(&self, progress: &Progress, events: usize, latency_seconds: f64) {
        if self.visibility.is_none() {
            return;
        }
        let name = self.projection.name();
        metrics::counter!("keynest_projection_events_total", "projection" => name)
            .increment(u64::try_from(events).unwrap_or(u64::MAX));
        metrics::histogram!("keynest_projection_latency_seconds", "projection" => name)
            .record(latency_seconds);
        metrics::gauge!("keynest_projection_parked_streams", "projection" => name)
            .set(u32::try_from(progress.parked.len()).unwrap_or(u32::MAX));
    }
}
