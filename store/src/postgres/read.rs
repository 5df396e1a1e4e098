//! Reading events and what hangs on them.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use keynest_domain::{
    CommandId, EventId, OrganizationId, RequestId, Sealed, SessionId, StreamName, UserId,
};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{Row, query, query_as};
use time::OffsetDateTime;
use uuid::Uuid;

use super::batch::{appended, position, revision};
use super::stream_names::StreamNames;
use crate::port::*;

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "select e.position, e.stream_id, e.revision, e.event_id, e.type, e.version, e.data, e.recorded_at, \
             e.command_id, e.actor, e.organization, e.session, e.request, e.causation, e.correlation, e.client \
             from store.events e ",
            $rest
        )
    };
}

pub(super) async fn stream(
    pool: &PgPool,
    stream: &StreamName,
    after: Revision,
    limit: usize,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let rows = query(select_events!(
        "where e.stream_id = (select s.id from store.streams s where s.name = $1) and e.revision > $2 \
         order by e.revision limit $3"
    ))
    .bind(stream.as_str())
    .bind(i64::from(after.get()))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| recorded(row, stream.clone())).collect()
}

pub(super) async fn stream_revision(
    pool: &PgPool,
    stream: &StreamName,
) -> Result<Revision, sqlx::Error> {
    let events: Option<i64> =
        sqlx::query_scalar("select s.revision from store.streams s where s.name = $1")
            .bind(stream.as_str())
            .fetch_optional(pool)
            .await?;
    Ok(events.map_or(Revision::NONE, revision))
}

pub(super) async fn all(
    pool: &PgPool,
    names: &StreamNames,
    after: Position,
    limit: usize,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let page = page(pool, names, after, limit).await?;
    page.iter().map(|(row, name)| recorded(row, name.clone().ok_or_else(orphan)?)).collect()
}

/// The events at these positions, in order, as far as [`READ_BYTES_MAX`] lets them.
pub(super) async fn these(
    pool: &PgPool,
    names: &StreamNames,
    positions: &[Position],
) -> Result<Vec<Recorded>, sqlx::Error> {
    let positions = positions.iter().map(|it| i64::try_from(it.to_stored()).unwrap_or(i64::MAX));
    let found = query(select_events!("where e.position = any($1) order by e.position limit $2"))
        .bind(positions.collect::<Vec<_>>())
        .bind(i64::try_from(READ_EVENTS_MAX).unwrap_or(i64::MAX))
        .fetch(pool);
    let page = named(bounded(found).await?, names, pool).await?;
    page.iter().map(|(row, name)| recorded(row, name.clone().ok_or_else(orphan)?)).collect()
}

/// Rows for [`recorded`], with their stream unless there is none.
pub(super) async fn page(
    pool: &PgPool,
    names: &StreamNames,
    after: Position,
    limit: usize,
) -> Result<Vec<(PgRow, Option<StreamName>)>, sqlx::Error> {
    let found = query(select_events!("where e.position > $1 order by e.position limit $2"))
        .bind(i64::try_from(after.to_stored()).unwrap_or(i64::MAX))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch(pool);
    named(bounded(found).await?, names, pool).await
}

/// No further row once there are [`READ_BYTES_MAX`] bytes, with the ids of their streams.
async fn bounded(
    mut found: BoxStream<'_, Result<PgRow, sqlx::Error>>,
) -> Result<Vec<(i64, PgRow)>, sqlx::Error> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while bytes < READ_BYTES_MAX
        && let Some(row) = found.try_next().await?
    {
        bytes += row.try_get::<&[u8], _>(6)?.len();
        rows.push((row.try_get(1)?, row));
    }
    Ok(rows)
}

async fn named(
    rows: Vec<(i64, PgRow)>,
    names: &StreamNames,
    pool: &PgPool,
) -> Result<Vec<(PgRow, Option<StreamName>)>, sqlx::Error> {
    let names = names.of(rows.iter().map(|(id, _)| *id).collect(), pool).await?;
    Ok(rows.into_iter().map(|(id, row)| (row, names.get(&id).cloned())).collect())
}

fn orphan() -> sqlx::Error {
    sqlx::Error::Protocol("an event has no stream; run verify".to_owned())
}

pub(super) async fn resolve(
    pool: &PgPool,
    claim: &ClaimKey,
) -> Result<Option<(StreamName, Revision)>, sqlx::Error> {
    let holder: Option<(String, i64)> = query_as(
        "select s.name, s.revision from store.claims c join store.streams s on s.id = c.stream_id where c.key = $1",
    )
    .bind(claim.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(holder.map(|(name, at)| (StreamName::from_stored(name), revision(at))))
}

/// The condition on the key is the one of the index.
pub(super) async fn claims_of(
    pool: &PgPool,
    stream: &StreamName,
) -> Result<Vec<ClaimKey>, sqlx::Error> {
    let keys: Vec<String> = sqlx::query_scalar(
        "select c.key from store.claims c \
         where c.stream_id = (select s.id from store.streams s where s.name = $1) \
             and c.key not like 'variable:%' order by c.key",
    )
    .bind(stream.as_str())
    .fetch_all(pool)
    .await?;
    Ok(keys.into_iter().map(ClaimKey::from_stored).collect())
}

/// Keys are compared byte by byte, so those with a prefix stand together.
pub(super) async fn claims_under(
    pool: &PgPool,
    prefix: &ClaimKey,
    limit: usize,
) -> Result<Vec<ClaimKey>, sqlx::Error> {
    let keys: Vec<String> = sqlx::query_scalar(
        "select c.key from store.claims c \
         where c.key >= $1 and c.key < $1 || chr(1114111) order by c.key limit $2",
    )
    .bind(prefix.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    Ok(keys.into_iter().map(ClaimKey::from_stored).collect())
}

pub(super) async fn lookup(
    pool: &PgPool,
    command: CommandId,
) -> Result<Option<Appended>, sqlx::Error> {
    let original: Option<(i64, i32)> =
        query_as("select c.position, c.count from store.commands c where c.command_id = $1")
            .bind(command.get())
            .fetch_optional(pool)
            .await?;
    Ok(original.map(|(first, events)| appended(first, events, true)))
}

pub(super) async fn head(pool: &PgPool) -> Result<Position, sqlx::Error> {
    let head: i64 =
        sqlx::query_scalar("select l.position from store.log l").fetch_one(pool).await?;
    Ok(position(head))
}

pub(super) async fn clock(pool: &PgPool) -> Result<OffsetDateTime, sqlx::Error> {
    sqlx::query_scalar("select clock_timestamp()").fetch_one(pool).await
}

/// By index: names would be looked up for every row.
pub(super) fn recorded(row: &PgRow, stream: StreamName) -> Result<Recorded, sqlx::Error> {
    let version: i32 = row.try_get(5)?;
    Ok(Recorded {
        position: position(row.try_get(0)?),
        stream,
        revision: revision(row.try_get(2)?),
        event_id: EventId::new(row.try_get(3)?),
        name: Arc::from(row.try_get::<&str, _>(4)?),
        version: u16::try_from(version).unwrap_or(u16::MAX),
        data: Bytes::copy_from_slice(row.try_get(6)?),
        recorded_at: row.try_get::<OffsetDateTime, _>(7)?.into(),
        command_id: CommandId::new(row.try_get(8)?),
        metadata: Metadata {
            actor: row.try_get::<Option<i64>, _>(9)?.map(UserId::new),
            organization: row.try_get::<Option<i64>, _>(10)?.map(OrganizationId::new),
            session: row.try_get::<Option<Uuid>, _>(11)?.map(SessionId::new),
            request: row.try_get::<Option<Uuid>, _>(12)?.map(RequestId::new),
            causation: row.try_get::<Option<Uuid>, _>(13)?.map(EventId::new),
            correlation: row.try_get(14)?,
            client: row.try_get::<Option<Vec<u8>>, _>(15)?.map(Sealed::from_bytes),
        },
    })
}
