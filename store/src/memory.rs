//! The log in memory: the same semantics as Postgres, for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keynest_domain::{CommandId, StreamName, Timestamp};
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use crate::event_id::event_id;
use crate::port::*;

/// A log that ends with its last clone.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    head: watch::Sender<Position>,
    incarnation: Incarnation,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Recorded>,
    /// Indexes into `events`, in order of revision.
    streams: HashMap<StreamName, Vec<usize>>,
    claims: HashMap<ClaimKey, StreamName>,
    commands: HashMap<CommandId, Appended>,
}

impl Default for Memory {
    #[expect(clippy::disallowed_methods, reason = "a log names its own life, as Postgres does")]
    fn default() -> Self {
        let incarnation = Incarnation::new(Uuid::new_v4());
        let head = watch::Sender::new(Position::START);
        Self(Arc::new(Shared { log: Mutex::default(), head, incarnation }))
    }
}

impl Memory {
    /// `append` must have been admitted.
    pub(crate) fn append(&self, append: &Append) -> Result<Appended, Conflict> {
        let mut log = self.log();
        let appended = log.append(append)?;
        let head = log.head();
        drop(log);
        self.0.head.send_if_modified(|known| {
            let is_news = head > *known;
            *known = head.max(*known);
            is_news
        });
        Ok(appended)
    }

    pub(crate) fn read_stream(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Vec<Recorded> {
        let log = self.log();
        let indexes = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let skipped = indexes.iter().skip(after.get() as usize).take(limit);
        skipped.map(|index| log.events[*index].clone()).collect()
    }

    pub(crate) fn stream_revision(&self, stream: &StreamName) -> Revision {
        self.log().revision(stream)
    }

    pub(crate) fn read_all(&self, after: Position, limit: usize) -> Vec<Recorded> {
        let log = self.log();
        let skipped = usize::try_from(after.to_stored()).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |event: &&Recorded| {
            let is_wanted = bytes < READ_BYTES_MAX;
            bytes += event.data.len();
            is_wanted
        };
        log.events.iter().skip(skipped).take(limit).take_while(fits).cloned().collect()
    }

    pub(crate) fn resolve(&self, claim: &ClaimKey) -> Option<(StreamName, Revision)> {
        let log = self.log();
        let stream = log.claims.get(claim)?;
        Some((stream.clone(), log.revision(stream)))
    }

    pub(crate) fn claims_of(&self, stream: &StreamName) -> Vec<ClaimKey> {
        let is_asked_for = |key: &ClaimKey, holder: &StreamName| {
            holder == stream && !key.as_str().starts_with(CLAIMS_KEPT)
        };
        self.claims(is_asked_for, usize::MAX)
    }

    pub(crate) fn claims_under(&self, prefix: &ClaimKey, limit: usize) -> Vec<ClaimKey> {
        self.claims(|key, _| key.as_str().starts_with(prefix.as_str()), limit)
    }

    fn claims(
        &self,
        is_asked_for: impl Fn(&ClaimKey, &StreamName) -> bool,
        limit: usize,
    ) -> Vec<ClaimKey> {
        let log = self.log();
        let found = log.claims.iter().filter(|(key, holder)| is_asked_for(key, holder));
        let mut keys: Vec<ClaimKey> = found.map(|(key, _)| key.clone()).collect();
        keys.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        keys.truncate(limit);
        keys
    }

    pub(crate) fn head(&self) -> Position {
        self.log().head()
    }

    pub(crate) fn lookup(&self, command: CommandId) -> Option<Appended> {
        self.log().commands.get(&command).cloned()
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.0.incarnation
    }

    pub(crate) fn watch_head(&self) -> watch::Receiver<Position> {
        self.0.head.subscribe()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn head(&self) -> Position {
        Position::from_stored(self.events.len() as u64)
    }

    fn revision(&self, stream: &StreamName) -> Revision {
        let events = self.streams.get(stream).map_or(0, Vec::len);
        Revision::new(u32::try_from(events).unwrap_or(u32::MAX))
    }

    fn append(&mut self, append: &Append) -> Result<Appended, Conflict> {
        if let Some(original) = self.commands.get(&append.command_id) {
            return Ok(original.clone());
        }
        self.refuse_conflicts(append)?;
        for key in &append.releases {
            self.claims.remove(key);
        }
        self.claims.extend(append.claims.iter().cloned());
        let first = Position::from_stored(self.events.len() as u64 + 1);
        self.write(append);
        let appended = Appended { first, position: self.head(), is_repeat: false };
        self.commands.insert(append.command_id, Appended { is_repeat: true, ..appended.clone() });
        Ok(appended)
    }

    fn refuse_conflicts(&self, append: &Append) -> Result<(), Conflict> {
        let written = append.streams.iter().filter_map(|part| match part.expected {
            Expected::Exact(revision) => Some((&part.stream, revision)),
            Expected::Any => None,
        });
        let checked = append.checks.iter().map(|(stream, revision)| (stream, *revision));
        for (stream, expected) in written.chain(checked) {
            let actual = self.revision(stream);
            if actual != expected {
                return Err(Conflict::Revision { stream: stream.clone(), expected, actual });
            }
        }
        for (key, _) in &append.claims {
            if let Some(holder) = self.claims.get(key)
                && !append.releases.contains(key)
            {
                return Err(Conflict::Claim { key: key.clone(), holder: holder.clone() });
            }
        }
        Ok(())
    }

    fn write(&mut self, append: &Append) {
        let last = self.events.last().map_or(Timestamp::from_micros(i64::MIN), |e| e.recorded_at);
        let recorded_at = now().max(last);
        let mut index = 0;
        for part in &append.streams {
            let indexes = self.streams.entry(part.stream.clone()).or_default();
            for event in &part.events {
                indexes.push(self.events.len());
                self.events.push(Recorded {
                    position: Position::from_stored(self.events.len() as u64 + 1),
                    stream: part.stream.clone(),
                    revision: Revision::new(u32::try_from(indexes.len()).unwrap_or(u32::MAX)),
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
}

#[expect(
    clippy::disallowed_methods,
    reason = "the log's own clock, as clock_timestamp() is in Postgres"
)]
pub(crate) fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}
