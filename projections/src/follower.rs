//! Seeing how far projections have come that run in other processes: asked only while somebody waits.

use std::sync::Arc;
use std::time::Duration;

use keynest_store::{EventStore, Position};
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::checkpoint;
use crate::projection::{Projection, takes};
use crate::runner::{BATCH_EVENTS_MAX, RunnerError};
use crate::visibility::Visibility;

/// Pause between two looks at the checkpoints while somebody waits.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Pause after a failed look.
const PAUSE: Duration = Duration::from_millis(500);

/// What a follower needs.
pub(crate) struct Follower {
    pub projections: Vec<Arc<dyn Projection>>,
    pub store: EventStore,
    pub rows: PgPool,
    pub visibility: Visibility,
}

impl Follower {
    /// Follows until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut waiting = self.visibility.waiting();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                asked = waiting.wait_for(|callers| *callers > 0) => if asked.is_err() { return },
            }
            let pause = match self.look().await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    log(&error);
                    PAUSE
                }
            };
            tokio::select! { () = stop.cancelled() => return, () = sleep(pause) => {} }
        }
    }

    /// Reads all checkpoints once. Stored ones lag behind while nothing concerns a projection, so the
    /// events behind them are looked at: as long as none is its business, it is as far as they are.
    pub async fn look(&self) -> Result<(), RunnerError> {
        for projection in &self.projections {
            let mut rows = self.rows.acquire().await?;
            let found = checkpoint::read(projection.name(), &mut rows).await?;
            drop(rows);
            let Some(found) = found else { continue };
            if found.incarnation != self.store.incarnation() {
                continue;
            }
            let visible = self.extended(&**projection, found.position).await?;
            self.visibility.publish(projection.name(), visible);
        }
        Ok(())
    }

    async fn extended(
        &self,
        projection: &dyn Projection,
        mut visible: Position,
    ) -> Result<Position, RunnerError> {
        loop {
            let batch = self.store.read_all(visible, BATCH_EVENTS_MAX).await?;
            for event in &batch {
                if takes(projection, event) {
                    return Ok(visible);
                }
                visible = event.position;
            }
            if batch.is_empty() {
                return Ok(visible);
            }
        }
    }
}

fn log(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "cannot see how far the projections are");
}
