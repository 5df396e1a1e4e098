//! How the projections are doing, for `keynest status` and readiness.

use keynest_store::{EventStore, Position};
use sqlx::PgPool;

use crate::checkpoint::{self, Checkpoint, Parked};
use crate::projection::{Projection, takes};
use crate::runner::{BATCH_EVENTS_MAX, RunnerError};

/// Whether a projection can go on from its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// Yes.
    Sound,
    /// It has never run.
    Unstarted,
    /// The rows come from another life of the log: rebuild.
    OtherIncarnation,
    /// The rows are of another version of the projection: rebuild.
    OtherVersion,
}

/// How one projection is doing.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProjectionStatus {
    pub name: &'static str,
    pub version: i32,
    pub footing: Footing,
    pub checkpoint: Option<Checkpoint>,
    /// Events of the log from the first one of its business on that is not in the rows yet.
    pub events_behind: u64,
    /// Age of the first of these events by the database's clock.
    pub seconds_behind: f64,
    /// Streams that were left behind.
    pub parked: Vec<Parked>,
}

impl ProjectionStatus {
    /// Whether it must be rebuilt before it goes on, or has left streams behind.
    pub fn needs_rebuild(&self) -> bool {
        !matches!(self.footing, Footing::Sound | Footing::Unstarted) || !self.parked.is_empty()
    }
}

pub(crate) async fn of(
    projection: &dyn Projection,
    store: &EventStore,
    rows: &PgPool,
) -> Result<ProjectionStatus, RunnerError> {
    let name = projection.name();
    let mut connection = rows.acquire().await?;
    let checkpoint = checkpoint::read(name, &mut connection).await?;
    let parked = checkpoint::parked(name, &mut connection).await?;
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#)
        .fetch_one(&mut *connection)
        .await?;
    drop(connection);
    let footing = match checkpoint {
        None => Footing::Unstarted,
        Some(found) if found.incarnation != store.incarnation() => Footing::OtherIncarnation,
        Some(found) if found.version != projection.version() => Footing::OtherVersion,
        Some(_) => Footing::Sound,
    };
    let mut at = match footing {
        Footing::Sound | Footing::OtherVersion => {
            checkpoint.map_or(Position::START, |c| c.position)
        }
        Footing::Unstarted | Footing::OtherIncarnation => Position::START,
    };
    let mut oldest = None;
    'search: loop {
        let batch = store.read_all(at, BATCH_EVENTS_MAX).await?;
        if batch.is_empty() {
            break;
        }
        for event in batch {
            if takes(projection, &event) {
                oldest = Some(event.recorded_at);
                break 'search;
            }
            at = event.position;
        }
    }
    let events_behind = match oldest {
        Some(_) => store.count_between(at, store.head().await?).await?,
        None => 0,
    };
    let age =
        oldest.map_or(0, |oldest| keynest_domain::Timestamp::from(now).micros() - oldest.micros());
    let age = std::time::Duration::from_micros(u64::try_from(age).unwrap_or(0));
    let (version, seconds_behind) = (projection.version(), age.as_secs_f64());
    Ok(ProjectionStatus {
        name,
        version,
        footing,
        checkpoint,
        events_behind,
        seconds_behind,
        parked,
    })
}
