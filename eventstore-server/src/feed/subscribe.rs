//! Subscriptions: what is there, then what comes, until the caller may not hear it any more or the server stops.

use keynest_store::{Position, Revision};
use tonic::Status;

use super::gate::{Reader, Told};
use super::read::{PAGE_EVENTS, tell};
use crate::ending::come_back;
use crate::envelope::Event;
use crate::filter::Filter;
use crate::names::stored;
use crate::proto::event_store::client::streams::ReadResp;
use crate::streams::{
    Place, Reading, Sender, caught_up_with_all, caught_up_with_stream, checkpoint, confirmation,
    send,
};

/// Follows a stream. One that is not there, or not the caller's, has no events so far.
pub(super) async fn stream(
    reader: &mut dyn Reader,
    name: &str,
    from: Place<u64>,
    reading: Reading,
    to: &Sender<ReadResp>,
) -> Result<(), Status> {
    send(to, confirmation()).await?;
    let stream = stored(name);
    let behind = |revision: u64| u32::try_from(revision.saturating_add(1)).unwrap_or(u32::MAX);
    let mut after = Revision::new(match from {
        Place::Start => 0,
        Place::At(revision) => behind(revision),
        Place::End => reader.stream_events(&stream).await?.unwrap_or(0),
    });
    let mut is_live = false;
    loop {
        let (found, reached) = reader.stream_part(&stream, after, PAGE_EVENTS as usize).await?;
        let is_end = reached == after;
        after = reached.max(after);
        for told in found {
            tell(told.into(), reading, to).await?;
        }
        if !is_end {
            continue;
        }
        if !is_live {
            is_live = true;
            let events = reader.stream_events(&stream).await?.unwrap_or(0);
            send(to, caught_up_with_stream(events, None)).await?;
        }
        if !reader.wait().await? {
            return Err(come_back());
        }
    }
}

/// A subscription to all that the caller may see.
pub(super) struct All {
    pub filter: Option<Filter>,
    pub reading: Reading,
    /// The last place that was looked at.
    place: u64,
    /// Events since the last checkpoint.
    looked_at: u64,
}

impl All {
    pub(super) fn new(filter: Option<Filter>, reading: Reading) -> Self {
        Self { filter, reading, place: 0, looked_at: 0 }
    }

    pub(super) async fn run(
        mut self,
        reader: &mut dyn Reader,
        from: Place<Position>,
        to: &Sender<ReadResp>,
    ) -> Result<(), Status> {
        send(to, confirmation()).await?;
        let mut at = match from {
            Place::Start => Position::START,
            Place::At(place) => {
                self.place = place.to_stored();
                reader.before(self.place).await?
            }
            Place::End => {
                let last = reader.part_before(Position::from_stored(i64::MAX as u64), 1).await?;
                self.place = last.events.first().map_or(0, |told| told.place);
                last.until
            }
        };
        let (begin, mut is_live) = (self.place, false);
        loop {
            let part = reader.part(at, PAGE_EVENTS).await?;
            at = part.until;
            for told in part.events.into_iter().filter(|told| told.place > begin || begin == 0) {
                self.look_at(told, to).await?;
            }
            if !part.is_end {
                continue;
            }
            if !is_live {
                is_live = true;
                self.caught_up(to).await?;
            }
            if !reader.wait().await? {
                return Err(come_back());
            }
        }
    }

    async fn look_at(&mut self, told: Told, to: &Sender<ReadResp>) -> Result<(), Status> {
        self.place = told.place;
        let event = Event::from(told);
        if self.filter.as_ref().is_none_or(|filter| filter.matches(&event)) {
            tell(event, self.reading, to).await?;
        }
        let Some(filter) = &self.filter else { return Ok(()) };
        self.looked_at += 1;
        if self.looked_at >= filter.checkpoint_events {
            self.checkpoint(to).await?;
        }
        Ok(())
    }

    async fn checkpoint(&mut self, to: &Sender<ReadResp>) -> Result<(), Status> {
        self.looked_at = 0;
        send(to, checkpoint(self.place, None)).await
    }

    async fn caught_up(&mut self, to: &Sender<ReadResp>) -> Result<(), Status> {
        if self.filter.is_some() && self.looked_at > 0 {
            self.checkpoint(to).await?;
        }
        send(to, caught_up_with_all(self.place, None)).await
    }
}
