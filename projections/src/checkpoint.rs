//! How far a projection has come: one row, moved by compare-and-set in the transaction that writes the rows.

use keynest_domain::{StreamName, Timestamp};
use keynest_store::{Incarnation, Position};
use sqlx::PgConnection;

use crate::error::ApplyError;
use crate::projection::Projection;

/// A stream that a projection leaves behind until it is rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The stream.
    pub stream: StreamName,
    /// The first event that did not become rows.
    pub position: Position,
    /// Why, without any data of the event.
    pub error: String,
}

/// A checkpoint as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The version of the projection that wrote the rows.
    pub version: i32,
    /// The life of the log that the position is in.
    pub incarnation: Incarnation,
    /// Everything up to here is in the rows.
    pub position: Position,
    /// Rises when a rebuild puts other tables in place.
    pub build: i32,
}

/// A position as a column; a log of 2^63 events is out of reach.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position.to_stored()).expect("a log has fewer than 2^63 events")
}

/// A column as a position.
pub(crate) fn position(stored: i64) -> Position {
    Position::from_stored(u64::try_from(stored).unwrap_or(0))
}

/// Reads a checkpoint; `None` before the projection has ever run.
pub(crate) async fn read(
    name: &str,
    rows: &mut PgConnection,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let found = sqlx::query!(
        "select version, incarnation, position, build from checkpoints where name = $1 limit 1",
        name
    )
    .fetch_optional(rows)
    .await?;
    Ok(found.map(|row| Checkpoint {
        version: row.version,
        incarnation: Incarnation::new(row.incarnation),
        position: position(row.position),
        build: row.build,
    }))
}

/// Makes the checkpoint of a projection that has never run: before the first event.
pub(crate) async fn create(
    projection: &dyn Projection,
    incarnation: Incarnation,
    rows: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into checkpoints (name, version, incarnation, position) values ($1, $2, $3, $4)
         on conflict (name) do nothing",
        projection.name(),
        projection.version(),
        incarnation.get(),
        stored(Position::START)
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// Moves a checkpoint from where this runner left it; `None` if somebody else has moved it since, or
/// has put other tables in place. Answers the database's time, for the lag; it never gets into rows.
pub(crate) async fn advance(
    name: &str,
    build: i32,
    from: Position,
    to: Position,
    rows: &mut PgConnection,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let moved = sqlx::query_scalar!(
        r#"update checkpoints set position = $4 where name = $1 and build = $2 and position = $3
           returning clock_timestamp() as "now!""#,
        name,
        build,
        stored(from),
        stored(to)
    )
    .fetch_optional(rows)
    .await?;
    Ok(moved.map(Timestamp::from))
}

/// The streams that a projection has left behind, in the order of the log.
pub(crate) async fn parked(
    name: &str,
    rows: &mut PgConnection,
) -> Result<Vec<Parked>, sqlx::Error> {
    let found = sqlx::query!(
        "select stream, position, error from parked where projection = $1 order by position limit 100000",
        name
    )
    .fetch_all(rows)
    .await?;
    let read = found.into_iter().map(|row| Parked {
        stream: StreamName::from_stored(row.stream),
        position: position(row.position),
        error: row.error,
    });
    Ok(read.collect())
}

/// Leaves a stream behind.
pub(crate) async fn park(
    name: &str,
    parked: &Parked,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into parked (projection, stream, position, error) values ($1, $2, $3, $4)
         on conflict (projection, stream) do nothing",
        name,
        parked.stream.as_str(),
        stored(parked.position),
        parked.error
    )
    .execute(rows)
    .await?;
    Ok(())
}
