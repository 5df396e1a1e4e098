//! Reading streams and all of them, from the leader.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use keynest_domain::{CommandId, StreamName, Timestamp};
use keynest_eventstore_protocol::event_store::client::streams::read_resp::Content;
use keynest_eventstore_protocol::event_store::client::streams::read_resp::read_event::RecordedEvent;
use tonic::Status;

use super::Kurrent;
use super::calls::{Place, Revisions, unread};
use super::command::Done;
use super::record::{commit_of, index_of, position, recorded, revision_of};
use crate::event_store::COUNTED_MAX;
use crate::port::*;

/// Events that are read at a time where many are passed over.
const COUNTED_AT_ONCE: usize = 1_000;

/// Single places that are read at a time.
const PLACES_AT_ONCE: usize = 32;

impl Kurrent {
    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        if stream.as_str().contains('\0') || limit == 0 {
            return Ok(Vec::new());
        }
        let (name, from) = (self.names().stream(stream), u64::from(after.get()));
        let events = self.read_named(&name, Revisions::From(from), limit, READ_BYTES_MAX * 2);
        self.decoded(events.await.map_err(unread)?)
    }

    pub(crate) async fn stream_revision(&self, stream: &StreamName) -> Result<Revision, ReadError> {
        if stream.as_str().contains('\0') {
            return Ok(Revision::NONE);
        }
        let last = self.last(&self.names().stream(stream)).await.map_err(unread)?;
        Ok(last.as_ref().map_or(Revision::NONE, revision_of))
    }

    /// The event of a stream at a revision.
    pub(super) async fn event_at(
        &self,
        stream: &StreamName,
        at: Revision,
    ) -> Result<Option<Recorded>, ReadError> {
        let before = Revision::new(at.get().saturating_sub(1));
        Ok(self.read_stream(stream, before, 1).await?.into_iter().next())
    }

    /// The last event of a stream there, whatever it is.
    pub(super) async fn last(&self, name: &str) -> Result<Option<RecordedEvent>, Status> {
        Ok(self.read_named(name, Revisions::Last, 1, usize::MAX).await?.into_iter().next())
    }

    /// A stream there from its beginning, page by page.
    pub(super) async fn whole(&self, name: &str) -> Result<Vec<RecordedEvent>, Status> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let from = events.last().map_or(0, |last| last.stream_revision + 1);
            let page = self
                .read_named(name, Revisions::From(from), READ_EVENTS_MAX, READ_BYTES_MAX)
                .await?;
            if page.is_empty() {
                return Ok(events);
            }
            events.extend(page);
        }
    }

    pub(crate) async fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        // Events of the same append may stand at the same place, up to this one.
        let passed = match after {
            Position::START => 0,
            after => index_of(after) + 1,
        };
        let events = self.read_from(Place::behind(after), false, limit, passed).await?;
        let behind = events.into_iter().filter(|event| event.position > after);
        Ok(cut(behind, limit))
    }

    /// The same, with the position itself.
    pub(crate) async fn read_all_from(
        &self,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let events = self.read_from(Place::behind(from), false, limit, index_of(from)).await?;
        let there = events.into_iter().filter(|event| event.position >= from);
        Ok(cut(there, limit))
    }

    /// The events at these positions, as far as they are there.
    pub(crate) async fn read_these(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Recorded>, ReadError> {
        let wanted = BTreeSet::from_iter(positions.iter().copied());
        let one = |at| async move {
            let found = self.read_all_from(at, 1).await?.into_iter().next();
            Ok(found.filter(|it| it.position == at))
        };
        let mut reading = futures::stream::iter(wanted).map(one).buffered(PLACES_AT_ONCE);
        let (mut events, mut bytes) = (Vec::new(), 0);
        while bytes < READ_BYTES_MAX
            && let Some(found) = reading.next().await
        {
            if let Some(event) = found? {
                bytes += event.data.len();
                events.push(event);
            }
        }
        Ok(events)
    }

    /// The last events in front of a position, the latest first.
    pub(crate) async fn read_all_before(
        &self,
        until: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut events: Vec<Recorded> = Vec::new();
        // What shares the place with the position, or stands there and is not in front of it.
        if until > self.head().await? {
            events = self.read_from(Place::End, true, limit, 0).await?;
        } else {
            let place = Place::At(commit_of(until));
            let beside = self.read_from(place, false, 1, index_of(until)).await?;
            events.extend(beside.into_iter().rev().filter(|event| {
                event.position < until && commit_of(event.position) == commit_of(until)
            }));
            let earlier = self.read_from(place, true, limit, 0).await?;
            let known = events.last().map_or(until, |event| event.position);
            events.extend(earlier.into_iter().filter(|event| event.position < known));
        }
        events.truncate(limit);
        Ok(events)
    }

    pub(crate) async fn head(&self) -> Result<Position, ReadError> {
        let last = self.read_from(Place::End, true, 1, 0).await?;
        let head = last.first().map_or(Position::START, |event| event.position);
        self.raise_head(head);
        Ok(head)
    }

    /// How many events lie there, as far as [`COUNTED_MAX`].
    pub(crate) async fn count_between(
        &self,
        mut after: Position,
        until: Position,
    ) -> Result<u64, ReadError> {
        let mut count = 0;
        while after < until && count < COUNTED_MAX {
            let page = self.read_all(after, COUNTED_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            count += page.iter().filter(|event| event.position <= until).count() as u64;
        }
        Ok(count.min(COUNTED_MAX))
    }

    /// The last position before a moment, from the end of the log on: the server has no order by time to ask for.
    pub(crate) async fn position_before(&self, at: Timestamp) -> Result<Position, ReadError> {
        let mut before = Position::from_stored(u64::MAX);
        loop {
            let page = self.read_all_before(before, COUNTED_AT_ONCE).await?;
            if let Some(found) = page.iter().find(|event| event.recorded_at < at) {
                return Ok(found.position);
            }
            let Some(earliest) = page.last() else { return Ok(Position::START) };
            before = earliest.position;
        }
    }

    /// The time by the server's clock, which it tells who has caught up.
    pub(crate) async fn clock(&self) -> Result<Timestamp, ReadError> {
        let told = async {
            let mut answers = self.subscription(Place::End).await?;
            while let Some(answer) = answers.message().await? {
                if let Some(Content::CaughtUp(caught_up)) = answer.content
                    && let Some(at) = caught_up.timestamp
                {
                    let micros = i64::from(at.nanos) / 1_000;
                    return Ok(Timestamp::from_micros(at.seconds * 1_000_000 + micros));
                }
            }
            Err(Status::unavailable("a subscription ended before it had caught up"))
        };
        self.within(told).await.map_err(unread)
    }

    /// What a command did, if it was done.
    pub(crate) async fn lookup(&self, command: CommandId) -> Result<Option<Appended>, ReadError> {
        let Some(done) = self.done(command).await.map_err(unread)? else { return Ok(None) };
        self.placed(command, &done).await.map(Some)
    }

    /// Everything behind the note of a command, up to the last event of its own.
    pub(super) async fn placed(
        &self,
        command: CommandId,
        done: &Done,
    ) -> Result<Appended, ReadError> {
        let mut places: Vec<Position> = Vec::new();
        let mut from = position(done.commit, 0);
        while places.len() < done.events {
            let page = self.read_all_from(from, done.events).await?;
            let Some(last) = page.last() else { break };
            from = Position::from_stored(last.position.to_stored() + 1);
            let own = page.iter().filter(|event| event.command_id == command);
            places.extend(own.map(|event| event.position));
        }
        match places[..] {
            [first, .., last] if places.len() == done.events => {
                Ok(Appended { first, position: last, is_repeat: true })
            }
            [only] if done.events == 1 => {
                Ok(Appended { first: only, position: only, is_repeat: true })
            }
            [..] => Err(unread(Status::data_loss("events of a command that was done are missing"))),
        }
    }

    /// Events of this log from a place on: so many, beside `more` that stand at the place itself.
    async fn read_from(
        &self,
        place: Place,
        is_backwards: bool,
        limit: usize,
        more: u64,
    ) -> Result<Vec<Recorded>, ReadError> {
        let events = self.read_all_raw(place, is_backwards, limit, more);
        self.decoded(events.await.map_err(unread)?)
    }

    fn decoded(&self, events: Vec<RecordedEvent>) -> Result<Vec<Recorded>, ReadError> {
        let decode = |event| recorded(self.names(), event);
        let all: Result<Vec<Recorded>, _> = events.into_iter().map(decode).collect();
        all.map_err(|foreign| ReadError::Unavailable(Arc::new(foreign)))
    }
}

/// No further one once there are [`READ_BYTES_MAX`] bytes.
fn cut(events: impl Iterator<Item = Recorded>, limit: usize) -> Vec<Recorded> {
    let mut bytes = 0;
    let fits = |event: &Recorded| {
        let is_wanted = bytes < READ_BYTES_MAX;
        bytes += event.data.len();
        is_wanted
    };
    events.take(limit).take_while(fits).collect()
}
