//! Reads with an end.

use keynest_store::{Position, Revision};
use tonic::Status;

use super::gate::{Reader, Told};
use crate::envelope::Event;
use crate::filter::Filter;
use crate::message::read_event;
use crate::names::{identifier, stored};
use crate::proto::event_store::client::streams::ReadResp;
use crate::proto::event_store::client::streams::read_resp::{Content, StreamNotFound};
use crate::streams::{Place, Reading, Sender, content, send};

/// Events that are fetched at a time: of the largest ones no more than one answer of the store's holds.
pub(super) const PAGE_EVENTS: u32 = 60;

/// Tells one event.
pub(super) async fn tell(
    event: Event,
    reading: Reading,
    to: &Sender<ReadResp>,
) -> Result<(), Status> {
    send(to, content(Content::Event(read_event(Some(event), None, reading.ids)))).await
}

/// What a read of the log asks for.
pub(super) struct AllRead {
    pub from: Place<Position>,
    pub filter: Option<Filter>,
    pub is_backwards: bool,
    pub count: u64,
    pub reading: Reading,
}

impl AllRead {
    pub(super) async fn run(
        mut self,
        reader: &mut dyn Reader,
        to: &Sender<ReadResp>,
    ) -> Result<(), Status> {
        let mut at = match (self.from, self.is_backwards) {
            (Place::Start, false) => Position::START,
            (Place::At(place), false) => reader.before(place.to_stored()).await?,
            (Place::End, false) | (Place::Start, true) => return Ok(()),
            (Place::At(place), true) => reader.before(behind(place)).await?,
            (Place::End, true) => Position::from_stored(i64::MAX as u64),
        };
        if let (Place::At(_), true) = (self.from, self.is_backwards) {
            at = Position::from_stored(at.to_stored().saturating_add(1));
        }
        while self.count > 0 {
            let part = match self.is_backwards {
                true => reader.part_before(at, PAGE_EVENTS).await?,
                false => reader.part(at, PAGE_EVENTS).await?,
            };
            at = part.until;
            for told in part.events {
                if self.count > 0 && self.is_wanted(&told) {
                    let event = Event::from(told);
                    if self.filter.as_ref().is_none_or(|filter| filter.matches(&event)) {
                        self.count -= 1;
                        tell(event, self.reading, to).await?;
                    }
                }
            }
            if part.is_end {
                break;
            }
        }
        Ok(())
    }

    /// Forwards a position is read itself, backwards what is in front of it.
    fn is_wanted(&self, told: &Told) -> bool {
        match (self.from, self.is_backwards) {
            (Place::At(place), false) => told.place >= place.to_stored(),
            (Place::At(place), true) => told.place < place.to_stored(),
            (Place::Start | Place::End, _) => true,
        }
    }
}

/// A place of a later moment, behind everything that was recorded together with this one.
fn behind(place: Position) -> u64 {
    place.to_stored().saturating_add(super::PLACES_AT_ONCE_MAX)
}

/// What a read of a stream asks for.
pub(super) struct StreamRead {
    pub name: String,
    pub from: Place<u64>,
    pub is_backwards: bool,
    pub count: u64,
    pub reading: Reading,
}

impl StreamRead {
    pub(super) async fn run(
        self,
        reader: &mut dyn Reader,
        to: &Sender<ReadResp>,
    ) -> Result<(), Status> {
        let stream = stored(&self.name);
        let Some(events) = reader.stream_events(&stream).await? else {
            let not_found = StreamNotFound { stream_identifier: identifier(&self.name) };
            return send(to, content(Content::StreamNotFound(not_found))).await;
        };
        let clamp = |revision: u64| u32::try_from(revision).unwrap_or(u32::MAX).min(events);
        let (mut from, mut until) = match (self.from, self.is_backwards) {
            (Place::Start, false) => (0, events),
            (Place::At(revision), false) => (clamp(revision), events),
            (Place::End, false) => (events, events),
            (Place::Start, true) => (0, 1),
            (Place::At(revision), true) => (0, clamp(revision.saturating_add(1))),
            (Place::End, true) => (0, events),
        };
        let mut left = self.count;
        while left > 0 && from < until {
            let size = (until - from).min(PAGE_EVENTS).min(u32::try_from(left).unwrap_or(u32::MAX));
            let after = if self.is_backwards { until - size } else { from };
            let (mut found, reached) =
                reader.stream_part(&stream, Revision::new(after), size as usize).await?;
            match self.is_backwards {
                true => until = after,
                false => from = reached.get().max(from + 1),
            }
            if self.is_backwards {
                found.reverse();
            }
            for told in found {
                left = left.saturating_sub(1);
                tell(told.into(), self.reading, to).await?;
            }
        }
        if self.reading.tells_ends && from >= until {
            let last = u64::from(events).saturating_sub(1);
            send(to, content(Content::LastStreamPosition(last))).await?;
        }
        Ok(())
    }
}
