//! Reading everything and comparing it with itself: what `keynest verify` runs.

use std::collections::HashMap;

use keynest_domain::{CommandId, StreamName, Timestamp};
use sqlx::postgres::PgPool;
use sqlx::query_as;
use uuid::Uuid;

use super::read;
use super::stream_names::StreamNames;
use crate::codec::decode;
use crate::event_id::event_id;
use crate::port::*;

/// Rows that are fetched at a time.
const PAGE: usize = 1_000;
/// Findings that are kept; further ones are only counted.
const FINDINGS_MAX: usize = 1_000;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum Finding {
    /// A position is followed by another one than the next.
    Hole { after: Position, next: Position },
    /// The counter row and the last event do not agree.
    Counter { counter: Position, last: Position },
    /// An event's revision is not the next of its stream.
    Revision { position: Position, expected: Revision, found: Revision },
    /// An event was recorded before the one in front of it.
    Time { position: Position },
    /// An event's id does not follow from its command and place.
    EventId { position: Position },
    /// An event cannot be decoded.
    Undecodable { position: Position, why: String },
    /// A stream's row does not agree with its events.
    Stream { stream: String, stored: i64, events: i64 },
    /// A command's row does not agree with its events, or there is no row.
    Command { command: Uuid },
    /// An event belongs to a stream that does not exist.
    Orphan { position: Position },
    /// A claim points to a stream that does not exist.
    Claim { key: String },
}

/// What a whole scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Report {
    pub events: u64,
    pub streams: u64,
    pub commands: u64,
    pub claims: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
    /// All of them.
    pub findings_total: u64,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events that were read.
    pub done: Position,
    /// The head when the scan began.
    pub of: Position,
}

impl Report {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings_total == 0
    }

    fn find(&mut self, finding: Finding) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Scans the log up to the head of now, page by page; others may append meanwhile.
pub async fn verify(
    pool: &PgPool,
    mut progress: impl FnMut(Progress),
) -> Result<Report, sqlx::Error> {
    let mut report = Report::default();
    let of = read::head(pool).await?;
    scan_events(pool, of, &mut report, &mut progress).await?;
    scan_streams(pool, &mut report).await?;
    scan_commands(pool, of, &mut report).await?;
    scan_claims(pool, &mut report).await?;
    Ok(report)
}

/// What is remembered from event to event.
struct Scan {
    done: Position,
    recorded_at: Timestamp,
    revisions: HashMap<StreamName, Revision>,
    /// The command of the last event, and the place of that event in it.
    last: Option<(CommandId, u32)>,
}

async fn scan_events(
    pool: &PgPool,
    of: Position,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) -> Result<(), sqlx::Error> {
    let names = StreamNames::default();
    // Stands for every stream that does not exist.
    let orphanage = StreamName::from_stored(String::new());
    let mut scan = Scan {
        done: Position::START,
        recorded_at: Timestamp::from_micros(i64::MIN),
        revisions: HashMap::new(),
        last: None,
    };
    let mut is_over = false;
    while !is_over && scan.done < of {
        let page = read::page(pool, &names, scan.done, PAGE).await?;
        is_over = page.is_empty();
        for (row, name) in page {
            let is_orphan = name.is_none();
            let event = read::recorded(&row, name.unwrap_or_else(|| orphanage.clone()))?;
            if event.position > of {
                is_over = true;
                break;
            }
            if is_orphan {
                report.find(Finding::Orphan { position: event.position });
            }
            scan.look_at(&event, report);
        }
        progress(Progress { done: scan.done, of });
    }
    if scan.done != of {
        report.find(Finding::Counter { counter: of, last: scan.done });
    }
    Ok(())
}

impl Scan {
    fn look_at(&mut self, event: &Recorded, report: &mut Report) {
        let position = event.position;
        if position != Position::from_stored(self.done.to_stored() + 1) {
            report.find(Finding::Hole { after: self.done, next: position });
        }
        let revision = self.revisions.entry(event.stream.clone()).or_default();
        let (expected, found) = (revision.plus(1), event.revision);
        if found != expected {
            report.find(Finding::Revision { position, expected, found });
        }
        *revision = found;
        if event.recorded_at < self.recorded_at {
            report.find(Finding::Time { position });
        }
        let place = match self.last {
            Some((command, place)) if command == event.command_id => place + 1,
            Some(_) | None => 0,
        };
        if event.event_id != event_id(event.command_id, place) {
            report.find(Finding::EventId { position });
        }
        if let Err(error) = decode(event) {
            report.find(Finding::Undecodable { position, why: error.to_string() });
        }
        report.events += 1;
        self.last = Some((event.command_id, place));
        self.recorded_at = event.recorded_at;
        self.done = position;
    }
}

/// Stream rows against what their events say, each pair in one snapshot.
async fn scan_streams(pool: &PgPool, report: &mut Report) -> Result<(), sqlx::Error> {
    let mut after = 0;
    loop {
        let page: Vec<(i64, String, i64, i64)> = query_as(
            "select s.id, s.name, s.revision, \
             coalesce((select max(e.revision) from store.events e where e.stream_id = s.id), 0) \
             from store.streams s where s.id > $1 order by s.id limit $2",
        )
        .bind(after)
        .bind(PAGE as i64)
        .fetch_all(pool)
        .await?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        report.streams += page.len() as u64;
        for (_, stream, stored, events) in page {
            if stored != events {
                report.find(Finding::Stream { stream, stored, events });
            }
        }
    }
    Ok(())
}

/// Every command's events are its own, and every event belongs to a command: the counts add up.
async fn scan_commands(
    pool: &PgPool,
    of: Position,
    report: &mut Report,
) -> Result<(), sqlx::Error> {
    let of = i64::try_from(of.to_stored()).unwrap_or(i64::MAX);
    let mut after = Uuid::nil();
    loop {
        let page: Vec<(Uuid, bool)> = query_as(
            "select c.command_id, c.count = (select count(*) from store.events e where e.position >= c.position \
             and e.position < c.position + c.count and e.command_id = c.command_id) \
             from store.commands c where c.command_id > $1 order by c.command_id limit $2",
        )
        .bind(after)
        .bind(PAGE as i64)
        .fetch_all(pool)
        .await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        report.commands += page.len() as u64;
        for (command, _) in page.into_iter().filter(|(_, is_sound)| !is_sound) {
            report.find(Finding::Command { command });
        }
    }
    let mut done = 0;
    while done < of {
        let orphans: Vec<(Uuid,)> = query_as(
            "select distinct e.command_id from store.events e left join store.commands c \
             on c.command_id = e.command_id and e.position >= c.position and e.position < c.position + c.count \
             where e.position > $1 and e.position <= $2 and c.command_id is null order by e.command_id",
        )
        .bind(done)
        .bind((done + PAGE as i64).min(of))
        .fetch_all(pool)
        .await?;
        orphans.into_iter().for_each(|(command,)| report.find(Finding::Command { command }));
        done += PAGE as i64;
    }
    Ok(())
}

async fn scan_claims(pool: &PgPool, report: &mut Report) -> Result<(), sqlx::Error> {
    let mut after = String::new();
    loop {
        let page: Vec<(String, bool)> = query_as(
            "select c.key, exists (select from store.streams s where s.id = c.stream_id) \
             from store.claims c where c.key > $1 order by c.key limit $2",
        )
        .bind(&after)
        .bind(PAGE as i64)
        .fetch_all(pool)
        .await?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        report.claims += page.len() as u64;
        for (key, _) in page.into_iter().filter(|(_, is_sound)| !is_sound) {
            report.find(Finding::Claim { key });
        }
    }
    Ok(())
}
