//! Many requests as flat arrays, and the answer to each (see `migrations/store/0002_append_batch.sql` and 0080).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use keynest_domain::{CommandId, StreamName, Timestamp};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Row, query};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event_id::event_id;
use crate::port::*;

const CALL: &str = "select * from store.append_batch_2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
     $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)";

/// Distinct things, numbered from 1 as SQL arrays are.
struct Numbered<T>(HashMap<T, i32>, Vec<T>);

/// The arguments of one call.
struct Batch<'a> {
    streams: Numbered<&'a str>,
    claims: Numbered<&'a str>,
    commands: Numbered<Uuid>,
    /// Per request: command, writes, checks, releases, claims.
    requests: [Vec<i32>; 5],
    write_streams: Vec<i32>,
    write_expected: Vec<i64>,
    write_events: Vec<i32>,
    check_streams: Vec<i32>,
    check_revisions: Vec<i64>,
    released: Vec<i32>,
    claimed: Vec<i32>,
    claim_streams: Vec<i32>,
    events: Events<'a>,
}

#[derive(Default)]
struct Events<'a> {
    writes: Vec<i32>,
    places: Vec<i32>,
    ids: Vec<Uuid>,
    commands: Vec<Uuid>,
    types: Vec<&'a str>,
    versions: Vec<i32>,
    payloads: Vec<&'a [u8]>,
    actors: Vec<Option<i64>>,
    organizations: Vec<Option<i64>>,
    sessions: Vec<Option<Uuid>>,
    requests: Vec<Option<Uuid>>,
    causations: Vec<Option<Uuid>>,
    correlations: Vec<Option<Uuid>>,
    clients: Vec<Option<&'a [u8]>>,
}

/// What became of a batch.
pub(crate) struct Committed {
    /// One per request.
    pub answers: Vec<Result<Appended, Conflict>>,
    /// What it wrote, in the order of the log, as the log has it.
    pub events: Vec<Recorded>,
    /// The position of the last event of the log.
    pub head: Position,
}

/// Sends the requests as one statement. `Ok(None)`: this attempt was abandoned and did nothing.
pub(crate) async fn append_batch(
    connection: &mut PgConnection,
    attempt: Uuid,
    appends: &[&Append],
) -> Result<Option<Committed>, sqlx::Error> {
    let batch = Batch::of(appends);
    let row = batch.call(attempt, connection).await?;
    let head: i64 = row.try_get("head")?;
    let Some(verdicts) = row.try_get::<Option<Vec<i32>>, _>("verdicts")? else {
        return Ok(None);
    };
    let answers = batch.answers(&verdicts, &row)?;
    let events = recorded(appends, &answers, &row)?;
    Ok(Some(Committed { answers, events, head: position(head) }))
}

impl<'a> Batch<'a> {
    fn of(appends: &[&'a Append]) -> Self {
        let mut batch = Self {
            streams: Numbered::new(),
            claims: Numbered::new(),
            commands: Numbered::new(),
            requests: Default::default(),
            write_streams: Vec::new(),
            write_expected: Vec::new(),
            write_events: Vec::new(),
            check_streams: Vec::new(),
            check_revisions: Vec::new(),
            released: Vec::new(),
            claimed: Vec::new(),
            claim_streams: Vec::new(),
            events: Events::default(),
        };
        for append in appends {
            batch.add(append);
        }
        batch
    }

    fn add(&mut self, append: &'a Append) {
        let counts = [
            self.commands.number(append.command_id.get()),
            count(append.streams.len()),
            count(append.checks.len()),
            count(append.releases.len()),
            count(append.claims.len()),
        ];
        for (column, count) in self.requests.iter_mut().zip(counts) {
            column.push(count);
        }
        let mut index = 0;
        for part in &append.streams {
            self.write_streams.push(self.streams.number(part.stream.as_str()));
            self.write_expected.push(match part.expected {
                Expected::Exact(revision) => i64::from(revision.get()),
                Expected::Any => -1,
            });
            self.write_events.push(count(part.events.len()));
            let write = count(self.write_streams.len());
            for (place, event) in part.events.iter().enumerate() {
                self.events.writes.push(write);
                self.events.places.push(count(place));
                self.events.add(append.command_id, index, event, &append.metadata);
                index += 1;
            }
        }
        for (stream, revision) in &append.checks {
            self.check_streams.push(self.streams.number(stream.as_str()));
            self.check_revisions.push(i64::from(revision.get()));
        }
        self.released.extend(append.releases.iter().map(|key| self.claims.number(key.as_str())));
        for (key, stream) in &append.claims {
            self.claimed.push(self.claims.number(key.as_str()));
            self.claim_streams.push(self.streams.number(stream.as_str()));
        }
    }

    async fn call(
        &self,
        attempt: Uuid,
        connection: &mut PgConnection,
    ) -> Result<PgRow, sqlx::Error> {
        let events = &self.events;
        let mut call = query(CALL)
            .bind(attempt)
            .bind(&self.streams.1)
            .bind(&self.claims.1)
            .bind(&self.commands.1);
        for column in &self.requests {
            call = call.bind(column);
        }
        call.bind(&self.write_streams)
            .bind(&self.write_expected)
            .bind(&self.write_events)
            .bind(&self.check_streams)
            .bind(&self.check_revisions)
            .bind(&self.released)
            .bind(&self.claimed)
            .bind(&self.claim_streams)
            .bind(&events.writes)
            .bind(&events.places)
            .bind(&events.ids)
            .bind(&events.commands)
            .bind(&events.types)
            .bind(&events.versions)
            .bind(&events.payloads)
            .bind(&events.actors)
            .bind(&events.organizations)
            .bind(&events.sessions)
            .bind(&events.requests)
            .bind(&events.causations)
            .bind(&events.correlations)
            .bind(&events.clients)
            .fetch_one(connection)
            .await
    }

    fn answers(
        &self,
        verdicts: &[i32],
        row: &PgRow,
    ) -> Result<Vec<Result<Appended, Conflict>>, sqlx::Error> {
        let firsts: Vec<i64> = row.try_get("firsts")?;
        let counts: Vec<i32> = row.try_get("counts")?;
        let subjects: Vec<i32> = row.try_get("subjects")?;
        let expecteds: Vec<i64> = row.try_get("expecteds")?;
        let actuals: Vec<i64> = row.try_get("actuals")?;
        let holders: Vec<String> = row.try_get("holders")?;
        let mut holders = holders.into_iter();
        let answer = |(at, verdict): (usize, &i32)| {
            let holder = holders.next().unwrap_or_default();
            match verdict {
                0 | 1 => Ok(Ok(appended(firsts[at], counts[at], *verdict == 1))),
                2 => Ok(Err(Conflict::Revision {
                    stream: StreamName::from_stored(self.streams.name(subjects[at]).to_owned()),
                    expected: revision(expecteds[at]),
                    actual: revision(actuals[at]),
                })),
                3 => Ok(Err(Conflict::Claim {
                    key: ClaimKey::from_stored(self.claims.name(subjects[at]).to_owned()),
                    holder: StreamName::from_stored(holder),
                })),
                other => Err(sqlx::Error::Protocol(format!("append_batch answered {other}"))),
            }
        };
        verdicts.iter().enumerate().map(answer).collect()
    }
}

impl<'a> Events<'a> {
    fn add(&mut self, command: CommandId, index: u32, event: &'a NewEvent, metadata: &'a Metadata) {
        self.ids.push(event_id(command, index).get());
        self.commands.push(command.get());
        self.types.push(&event.name);
        self.versions.push(i32::from(event.version));
        self.payloads.push(&event.data);
        self.actors.push(metadata.actor.map(|id| id.get()));
        self.organizations.push(metadata.organization.map(|id| id.get()));
        self.sessions.push(metadata.session.map(|id| id.get()));
        self.requests.push(metadata.request.map(|id| id.get()));
        self.causations.push(metadata.causation.map(|id| id.get()));
        self.correlations.push(metadata.correlation);
        self.clients.push(metadata.client.as_ref().map(|client| client.as_bytes()));
    }
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    fn new() -> Self {
        Self(HashMap::new(), Vec::new())
    }

    fn number(&mut self, thing: T) -> i32 {
        *self.0.entry(thing).or_insert_with(|| {
            self.1.push(thing);
            count(self.1.len())
        })
    }

    fn name(&self, number: i32) -> T {
        self.1[usize::try_from(number - 1).expect("append_batch names what it was given")]
    }
}

/// The events of the requests that were written just now. One that repeats a command wrote nothing.
fn recorded(
    appends: &[&Append],
    answers: &[Result<Appended, Conflict>],
    row: &PgRow,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let recorded_at: Timestamp = row.try_get::<OffsetDateTime, _>("written_at")?.into();
    let first_revisions: Vec<i64> = row.try_get("write_revisions")?;
    let mut first_revisions = first_revisions.into_iter().map(revision);
    let mut events = Vec::new();
    for (append, answer) in appends.iter().zip(answers) {
        let first_revisions: Vec<Revision> =
            first_revisions.by_ref().take(append.streams.len()).collect();
        let Ok(Appended { first, is_repeat: false, .. }) = answer else { continue };
        let mut index = 0;
        for (part, first_revision) in append.streams.iter().zip(first_revisions) {
            for (place, event) in (0..).zip(&part.events) {
                events.push(Recorded {
                    position: Position::from_stored(first.to_stored() + u64::from(index)),
                    stream: part.stream.clone(),
                    revision: first_revision.plus(place),
                    event_id: event_id(append.command_id, index),
                    name: Arc::clone(&event.name),
                    version: event.version,
                    data: event.data.clone(),
                    recorded_at,
                    command_id: append.command_id,
                    metadata: append.metadata.clone(),
                });
                index += 1;
            }
        }
    }
    Ok(events)
}

/// The result of a command as it is stored: its first position and the number of its events.
pub(super) fn appended(first: i64, events: i32, is_repeat: bool) -> Appended {
    let last = first + i64::from(events) - 1;
    Appended { first: position(first), position: position(last), is_repeat }
}

pub(super) fn position(stored: i64) -> Position {
    Position::from_stored(stored.unsigned_abs())
}

pub(super) fn revision(stored: i64) -> Revision {
    Revision::new(u32::try_from(stored).unwrap_or(u32::MAX))
}

fn count(items: usize) -> i32 {
    i32::try_from(items).expect("admission and batch limits are far below 2^31")
}
