//! Reading a stream or all of them, forwards or backwards, up to a count.

use keynest_store::{EventStore, Position, Revision};
use tonic::Status;

use super::link::told;
use super::request::{Asked, From, Place, Reading};
use super::{Answers, Sender, answer, send, subscribe};
use crate::ending::Stopping;
use crate::envelope::Event;
use crate::filter::Filter;
use crate::guard::Guard;
use crate::names::{identifier, stored};
use crate::proto::event_store::client::streams::ReadResp;
use crate::proto::event_store::client::streams::read_resp::{Content, StreamNotFound};
use crate::status::{stream_deleted, unreadable};

/// Events that are fetched at a time.
pub(super) const PAGE_EVENTS: usize = 256;

pub(super) async fn read(
    store: EventStore,
    asked: Asked,
    stopping: Stopping,
) -> Result<Answers<ReadResp>, Status> {
    let Asked { from, is_backwards, count, reading } = asked;
    match (from, count) {
        (From::Stream { name, from }, Some(count)) => {
            let guard = Guard::load(&store, &name).await.map_err(unreadable)?;
            if guard.is_tombstoned {
                return Err(stream_deleted(&name));
            }
            let asked = StreamRead { name, from, is_backwards, count, reading };
            Ok(answer(|to| async move { asked.run(&store, &guard, &to).await }))
        }
        (From::All { from, filter }, Some(count)) => {
            let asked = AllRead { from, filter, is_backwards, count, reading };
            Ok(answer(|to| async move { asked.run(&store, &to).await }))
        }
        (from, None) => subscribe::subscribe(store, from, reading, stopping).await,
    }
}

struct StreamRead {
    name: String,
    from: Place<u64>,
    is_backwards: bool,
    count: u64,
    reading: Reading,
}

/// What is left to read of a stream, counted from zero, the end not included.
struct Window {
    from: u32,
    until: u32,
    left: u64,
}

impl StreamRead {
    async fn run(
        self,
        store: &EventStore,
        guard: &Guard,
        to: &Sender<ReadResp>,
    ) -> Result<(), Status> {
        let stream = stored(&self.name);
        let events = store.stream_revision(&stream).await.map_err(unreadable)?;
        if events == Revision::NONE || guard.is_deleted() {
            let stream_identifier = identifier(&self.name);
            let absent = StreamNotFound { stream_identifier };
            return send(to, content(Content::StreamNotFound(absent))).await;
        }
        let first = u32::try_from(guard.settings.first_visible(events)).unwrap_or(u32::MAX);
        let now = store.clock().await.map_err(unreadable)?;
        let since = guard.settings.visible_since(now);
        let mut window = self.window(first, events);
        let last = u64::from(events.get()) - 1;
        while let (1.., true) = (window.left, window.from < window.until) {
            let (after, size) = window.page(self.is_backwards);
            let page = store.read_stream_page(&stream, Revision::new(after), size).await;
            let page = page.map_err(unreadable)?;
            let mut page: Vec<Event> = page.into_iter().map(Event::from).collect();
            window.pass(page.len(), self.is_backwards);
            if self.is_backwards {
                page.reverse();
            }
            for event in page.into_iter().filter(|it| since.is_none_or(|since| it.created >= since))
            {
                if window.left == 0 {
                    break;
                }
                window.left -= 1;
                let told = told(store, event, self.reading).await?;
                send(to, content(Content::Event(told))).await?;
            }
        }
        if self.reading.tells_ends && window.from >= window.until {
            send(to, content(Content::LastStreamPosition(last))).await?;
        }
        Ok(())
    }

    fn window(&self, first: u32, events: Revision) -> Window {
        let end = events.get();
        let clamp = |revision: u64| u32::try_from(revision).unwrap_or(u32::MAX).min(end);
        let (from, until) = match (self.from, self.is_backwards) {
            (Place::Start, false) => (first, end),
            (Place::At(revision), false) => (clamp(revision).max(first), end),
            (Place::End, false) => (end, end),
            (Place::Start, true) => (first, first.max(1).min(end)),
            (Place::At(revision), true) => (first, clamp(revision.saturating_add(1))),
            (Place::End, true) => (first, end),
        };
        Window { from, until, left: self.count }
    }
}

impl Window {
    /// Behind which revision to read how many.
    fn page(&self, is_backwards: bool) -> (u32, usize) {
        let span = (self.until - self.from).min(u32::try_from(PAGE_EVENTS).unwrap_or(u32::MAX));
        let size = span.min(u32::try_from(self.left).unwrap_or(u32::MAX));
        let after = if is_backwards { self.until - size } else { self.from };
        (after, size as usize)
    }

    fn pass(&mut self, events: usize, is_backwards: bool) {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        // A page is short only if the stream is, which it never becomes; this ends the loop all the same.
        match (events, is_backwards) {
            (0, _) => self.from = self.until,
            (_, true) => self.until = self.until.saturating_sub(events),
            (_, false) => self.from += events,
        }
    }
}

struct AllRead {
    from: Place<Position>,
    filter: Option<Filter>,
    is_backwards: bool,
    count: u64,
    reading: Reading,
}

impl AllRead {
    async fn run(self, store: &EventStore, to: &Sender<ReadResp>) -> Result<(), Status> {
        let head = store.head().await.map_err(unreadable)?;
        let mut left = self.count;
        let mut at = match self.from {
            Place::Start => None,
            Place::At(position) => Some(position),
            Place::End if self.is_backwards => Some(Position::from_stored(u64::MAX)),
            Place::End => return Ok(()),
        };
        while left > 0 {
            let page = self.page(store, at).await?;
            let Some(last) = page.last() else { break };
            let next = last.position;
            for event in page {
                if left == 0 || (!self.is_backwards && event.position > head) {
                    return Ok(());
                }
                if self.filter.as_ref().is_none_or(|filter| filter.matches(&event)) {
                    left -= 1;
                    let told = told(store, event, self.reading).await?;
                    send(to, content(Content::Event(told))).await?;
                }
            }
            at = Some(if self.is_backwards { next } else { after(next) });
        }
        Ok(())
    }

    /// Forwards a position is read itself, backwards what is in front of it.
    async fn page(&self, store: &EventStore, at: Option<Position>) -> Result<Vec<Event>, Status> {
        let at = at.unwrap_or(Position::START);
        let page = if self.is_backwards {
            store.read_all_before(at, PAGE_EVENTS).await
        } else {
            store.read_all_from(at, PAGE_EVENTS).await
        };
        Ok(page.map_err(unreadable)?.into_iter().map(Event::from).collect())
    }
}

/// The least position that is greater: positions are ordered numbers, also where they are not dense.
fn after(position: Position) -> Position {
    Position::from_stored(position.to_stored().saturating_add(1))
}

pub(crate) fn content(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}
