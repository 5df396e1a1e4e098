//! What the log is asked to append, with the expectations and checks that make it right.

use keynest_domain::{CommandId, StreamName};
use keynest_store::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Append, EVENT_BYTES_MAX, EventStore, Expected as Stored,
    Metadata, PROTOCOL_BYTES_MAX, PROTOCOL_EVENT_BYTES_MAX, PROTOCOL_EVENTS_MAX, Revision,
    StreamAppend,
};
use uuid::Uuid;

use super::{Check, Expected, Refusal, Write};
use crate::envelope::{JSON, Proposed};
use crate::guard::Guard;
use crate::names::{is_settings, stored};

/// Name space of the ids of appends.
const APPENDS: Uuid = Uuid::from_u128(0x2f0f_6d2b_9a5c_4c55_8a44_6a1f_31c6_7d10);
/// The type of an event of settings.
pub(super) const SETTINGS_TYPE: &str = "$metadata";

/// How large an append may be.
#[derive(Clone, Copy)]
struct Limits {
    events: usize,
    event_bytes: usize,
    bytes: usize,
}

const LIMITS: Limits =
    Limits { events: APPEND_EVENTS_MAX, event_bytes: EVENT_BYTES_MAX, bytes: APPEND_BYTES_MAX };
const LIMITS_WITH_CHECKS: Limits = Limits {
    events: PROTOCOL_EVENTS_MAX,
    event_bytes: PROTOCOL_EVENT_BYTES_MAX,
    bytes: PROTOCOL_BYTES_MAX,
};

pub(super) struct Plan {
    pub append: Append,
    /// In the order of the writes.
    pub parts: Vec<Planned>,
}

pub(super) struct Planned {
    pub stream: StreamName,
    /// The revision before, if it is known.
    before: Option<Revision>,
    events: u32,
    /// Whether the client itself asked for that revision.
    pub is_asked: bool,
}

impl Planned {
    pub(super) fn last_revision(&self) -> Option<Option<u64>> {
        self.before.map(|before| u64::from(before.plus(self.events).get()).checked_sub(1))
    }
}

impl Plan {
    pub(super) async fn make(
        store: &EventStore,
        writes: &[Write],
        checks: &[Check],
    ) -> Result<Self, Refusal> {
        let mut making = Making::default();
        for write in writes {
            making.write(store, write).await?;
        }
        for check in checks {
            making.check(store, check).await?;
        }
        // The backend `kurrentdb` sends a whole append of the port like this, with what stands for its claims.
        let limits = if checks.is_empty() { LIMITS } else { LIMITS_WITH_CHECKS };
        making.refuse_sizes(writes, limits)?;
        let guards: Vec<Revision> = making.checks.iter().map(|(_, at)| *at).collect();
        // Settings that are written with the events come first, so that the last position is an event's.
        let streams = making.settings.into_iter().chain(making.streams).collect();
        let append = Append {
            command_id: command_id(writes, &guards),
            streams,
            checks: making.checks,
            claims: Vec::new(),
            releases: Vec::new(),
            metadata: Metadata::default(),
        };
        Ok(Self { append, parts: making.parts })
    }
}

#[derive(Default)]
struct Making {
    streams: Vec<StreamAppend>,
    settings: Vec<StreamAppend>,
    checks: Vec<(StreamName, Revision)>,
    parts: Vec<Planned>,
}

impl Making {
    async fn write(&mut self, store: &EventStore, write: &Write) -> Result<(), Refusal> {
        let guard = Guard::load(store, &write.stream).await?;
        if guard.is_tombstoned {
            return Err(Refusal::Tombstoned { stream: write.stream.clone() });
        }
        let (expected, is_asked) = self.expectation(store, write, &guard).await?;
        let before = match expected {
            Stored::Exact(revision) => Some(revision),
            Stored::Any => None,
        };
        let stream = stored(&write.stream);
        self.parts.push(Planned {
            stream: stream.clone(),
            before,
            events: u32::try_from(write.events.len()).unwrap_or(u32::MAX),
            is_asked,
        });
        let events = write.events.iter().map(Proposed::seal).collect();
        self.streams.push(StreamAppend { stream, expected, events });
        match before {
            // The stream begins again behind what was deleted.
            Some(revision) if guard.is_deleted() => self.settings.push(StreamAppend {
                stream: guard.stream.clone(),
                expected: Stored::Exact(guard.at),
                events: vec![settings_event(&guard, revision).seal()],
            }),
            _ if is_settings(&write.stream) => {}
            _ => self.guarded(&guard),
        }
        Ok(())
    }

    async fn expectation(
        &self,
        store: &EventStore,
        write: &Write,
        guard: &Guard,
    ) -> Result<(Stored, bool), Refusal> {
        let is_deleted = guard.is_deleted() && !is_settings(&write.stream);
        let current = async || store.stream_revision(&stored(&write.stream)).await;
        match write.expected {
            Expected::Revision(last) => {
                match u32::try_from(last).ok().and_then(|it| it.checked_add(1)) {
                    Some(events) => Ok((Stored::Exact(Revision::new(events)), true)),
                    None => Err(Refusal::wrong(write, last_of(current().await?))),
                }
            }
            Expected::NoStream if !is_deleted => Ok((Stored::Exact(Revision::NONE), true)),
            Expected::Any if is_settings(&write.stream) => Ok((Stored::Exact(guard.at), false)),
            Expected::Any if !is_deleted => Ok((Stored::Any, false)),
            Expected::Exists if is_deleted => Err(Refusal::wrong(write, None)),
            Expected::Exists => match current().await? {
                Revision::NONE => Err(Refusal::wrong(write, None)),
                // Nothing is removed from the log: a stream that is there stays.
                at if is_settings(&write.stream) => Ok((Stored::Exact(at), false)),
                _ => Ok((Stored::Any, false)),
            },
            Expected::Any | Expected::NoStream => Ok((Stored::Exact(current().await?), false)),
        }
    }

    async fn check(&mut self, store: &EventStore, check: &Check) -> Result<(), Refusal> {
        let is_written = self.parts.iter().any(|part| part.stream.as_str() == check.stream);
        // A write itself carries the expectation.
        if is_written || check.expected == Expected::Any {
            return Ok(());
        }
        let guard = Guard::load(store, &check.stream).await?;
        let events = store.stream_revision(&stored(&check.stream)).await?;
        let is_there = !guard.is_tombstoned && !guard.is_deleted();
        let current = last_of(events).filter(|_| is_there);
        match check.expected {
            Expected::Any => return Ok(()),
            Expected::NoStream if current.is_none() => {
                self.checks.push((stored(&check.stream), events));
            }
            Expected::NoStream => self.checks.push((stored(&check.stream), Revision::NONE)),
            Expected::Revision(last) => {
                let events = u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1);
                self.checks.push((stored(&check.stream), Revision::new(events)));
            }
            Expected::Exists if current.is_some() => {}
            Expected::Exists => {
                let (stream, expected) = (check.stream.clone(), check.expected);
                return Err(Refusal::WrongExpected { stream, expected, current });
            }
        }
        self.guarded(&guard);
        Ok(())
    }

    fn guarded(&mut self, guard: &Guard) {
        let is_new = self.checks.iter().all(|(stream, _)| *stream != guard.stream);
        let is_written = self.parts.iter().any(|part| part.stream == guard.stream);
        if is_new && !is_written {
            self.checks.push((guard.stream.clone(), guard.at));
        }
    }

    fn refuse_sizes(&self, writes: &[Write], limits: Limits) -> Result<(), Refusal> {
        let mut bytes = 0;
        for (write, part) in writes.iter().zip(&self.streams) {
            for (proposed, event) in write.events.iter().zip(&part.events) {
                if event.data.len() > limits.event_bytes {
                    return Err(Refusal::EventTooLarge {
                        stream: write.stream.clone(),
                        id: proposed.id,
                        bytes: event.data.len(),
                    });
                }
                bytes += event.data.len();
            }
        }
        let events: usize = self.streams.iter().map(|part| part.events.len()).sum();
        if bytes > limits.bytes || events > limits.events - self.settings.len() {
            return Err(Refusal::AppendTooLarge { bytes, events });
        }
        Ok(())
    }
}

fn last_of(events: Revision) -> Option<u64> {
    u64::from(events.get()).checked_sub(1)
}

fn settings_event(guard: &Guard, first_visible: Revision) -> Proposed {
    let text = guard.text_with_truncation(u64::from(first_visible.get()));
    Proposed {
        id: Uuid::new_v5(&APPENDS, format!("{}@{}", guard.stream, guard.at).as_bytes()),
        kind: SETTINGS_TYPE.to_owned(),
        content_type: JSON.to_owned(),
        metadata: bytes::Bytes::new(),
        data: text.to_string().into(),
    }
}

/// The same for the same events with the same expectations while the settings are the same: a repeat answers the original.
fn command_id(writes: &[Write], guards: &[Revision]) -> CommandId {
    let mut text = format!("{guards:?}");
    for write in writes {
        text.push_str(&format!("|{:?}{:?}", write.stream, write.expected));
        text.extend(write.events.iter().map(|event| event.id.to_string()));
    }
    CommandId::new(Uuid::new_v5(&APPENDS, text.as_bytes()))
}
