//! One atomic append as the protocol means it: expectations per stream, further checks, repeats known by the events' ids.

mod plan;
mod refusal;

use keynest_store::{AppendError, Appended, Conflict, EventStore, Position, ReadError, Revision};

use plan::{Plan, Planned};
pub(crate) use refusal::Refusal;

use crate::envelope::{Event, Proposed};
use crate::guard::Guard;
use crate::names::stored;

/// How often an append is planned again because a stream's settings were changed meanwhile.
const ATTEMPTS_MAX: usize = 32;

/// What a stream must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Any,
    NoStream,
    Exists,
    /// The last event's revision, counted from zero.
    Revision(u64),
}

/// One stream's part.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub stream: String,
    pub expected: Expected,
    pub events: Vec<Proposed>,
}

/// A stream that must look like this, written or not.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub stream: String,
    pub expected: Expected,
}

/// What an append did, now or when it was first sent.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// None if there was nothing to write.
    pub position: Option<Position>,
    /// The streams' last revisions in the order of the writes; none for a stream that is not there.
    pub revisions: Vec<Option<u64>>,
}

pub(crate) async fn append(
    store: &EventStore,
    writes: &[Write],
    checks: &[Check],
) -> Result<Written, Refusal> {
    if let ([write], []) = (writes, checks) {
        if write.events.is_empty() {
            return nothing(store, write).await;
        }
        if let Some(written) = at_the_end_already(store, write).await? {
            return Ok(written);
        }
    }
    for _ in 0..ATTEMPTS_MAX {
        let plan = match Plan::make(store, writes, checks).await {
            Err(Refusal::WrongExpected { .. }) if !checks.is_empty() => {
                refuse_violated(store, checks).await?;
                continue;
            }
            made => made?,
        };
        match store.append_of_protocol(plan.append.clone()).await {
            Ok(appended) => return written(store, &plan, &appended).await,
            Err(AppendError::Conflict(conflict)) => {
                if let Some(written) = judge(store, &plan, writes, checks, conflict).await? {
                    return Ok(written);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

/// Nothing to write is judged like something.
async fn nothing(store: &EventStore, write: &Write) -> Result<Written, Refusal> {
    let guard = Guard::load(store, &write.stream).await?;
    if guard.is_tombstoned {
        return Err(Refusal::Tombstoned { stream: write.stream.clone() });
    }
    let current = last_revision(store, &guard, &write.stream).await?;
    if !write.expected.holds(current) {
        return Err(Refusal::wrong(write, current));
    }
    Ok(Written { position: None, revisions: vec![current] })
}

/// Whoever expects nothing is told of the events that the stream ends with, if they are these.
async fn at_the_end_already(store: &EventStore, write: &Write) -> Result<Option<Written>, Refusal> {
    if write.expected != Expected::Any {
        return Ok(None);
    }
    let revision = store.stream_revision(&stored(&write.stream)).await?;
    let count = u32::try_from(write.events.len()).unwrap_or(u32::MAX);
    match revision.get().checked_sub(count) {
        Some(after) => same_events(store, write, Revision::new(after)).await,
        None => Ok(None),
    }
}

/// The events behind this revision, if they are those of the append.
async fn same_events(
    store: &EventStore,
    write: &Write,
    after: Revision,
) -> Result<Option<Written>, Refusal> {
    let guard = Guard::load(store, &write.stream).await?;
    if guard.is_tombstoned || guard.is_deleted() {
        return Ok(None);
    }
    let found = store.read_stream_page(&stored(&write.stream), after, write.events.len()).await?;
    let found: Vec<Event> = found.into_iter().map(Event::from).collect();
    let is_same = found.iter().map(|it| it.id).eq(write.events.iter().map(|it| it.id));
    Ok(found.last().filter(|_| is_same).map(|last| Written {
        position: Some(last.position),
        revisions: vec![Some(last.revision)],
    }))
}

/// A conflict is a repeat of what was done, a refusal, or a reason to plan again (`None`).
async fn judge(
    store: &EventStore,
    plan: &Plan,
    writes: &[Write],
    checks: &[Check],
    conflict: Conflict,
) -> Result<Option<Written>, Refusal> {
    let Conflict::Revision { stream, actual, .. } = conflict else { return Ok(None) };
    if !checks.is_empty() {
        return refuse_violated(store, checks).await.map(|()| None);
    }
    let written = writes.iter().zip(&plan.parts).find(|(write, _)| write.stream == stream.as_str());
    let Some((write, Planned { is_asked: true, .. })) = written else { return Ok(None) };
    let expected = match write.expected {
        Expected::NoStream => 0,
        Expected::Revision(last) => last + 1,
        Expected::Any | Expected::Exists => return Ok(None),
    };
    if let (true, Ok(after)) = (writes.len() == 1, u32::try_from(expected))
        && let Some(written) = same_events(store, write, Revision::new(after)).await?
    {
        return Ok(Some(written));
    }
    Err(Refusal::wrong(write, u64::from(actual.get()).checked_sub(1)))
}

/// Refused with all checks that do not hold, by their place, with what is the case.
async fn refuse_violated(store: &EventStore, checks: &[Check]) -> Result<(), Refusal> {
    let mut found = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let guard = Guard::load(store, &check.stream).await?;
        let current = last_revision(store, &guard, &check.stream).await?;
        if !check.expected.holds(current) {
            found.push((index, check.clone(), current));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Refusal::Violated(found)) }
}

/// The last revision of a stream, counted from zero, unless it is deleted or was never there.
pub(crate) async fn last_revision(
    store: &EventStore,
    guard: &Guard,
    stream: &str,
) -> Result<Option<u64>, ReadError> {
    if guard.is_tombstoned || guard.is_deleted() {
        return Ok(None);
    }
    let events = store.stream_revision(&stored(stream)).await?;
    Ok(u64::from(events.get()).checked_sub(1))
}

async fn written(store: &EventStore, plan: &Plan, appended: &Appended) -> Result<Written, Refusal> {
    let position = Some(appended.position);
    if let Some(revisions) = plan.parts.iter().map(Planned::last_revision).collect() {
        return Ok(Written { position, revisions });
    }
    let last = match &plan.parts[..] {
        [_] => store.read_at(appended.position).await?.into_iter().collect(),
        _ => store.read_appended(appended).await?,
    };
    let revision_of = |part: &Planned| {
        let of_it = last.iter().filter(|event| event.stream == part.stream);
        of_it.map(|event| u64::from(event.revision.get()) - 1).max()
    };
    Ok(Written { position, revisions: plan.parts.iter().map(revision_of).collect() })
}

impl Expected {
    /// Whether a stream with this last revision is as expected.
    pub(crate) fn holds(self, current: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => current.is_none(),
            Self::Exists => current.is_some(),
            Self::Revision(revision) => current == Some(revision),
        }
    }
}
