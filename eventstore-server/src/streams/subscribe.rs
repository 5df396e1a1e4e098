//! Subscriptions: what is there, then what comes, without an end.

use keynest_store::{EventStore, Position, Revision};
use tonic::Status;

use super::link::told;
use super::read::{PAGE_EVENTS, content};
use super::request::{From, Place, Reading};
use super::{
    ANSWERS_WAITING_MAX, Answers, Sender, answer_until, caught_up_with_all, caught_up_with_stream,
    checkpoint, confirmation, send,
};
use crate::ending::Stopping;
use crate::envelope::{Event, is_tombstone};
use crate::filter::Filter;
use crate::guard::Guard;
use crate::message::time;
use crate::names::{settings_of, stored};
use crate::proto::event_store::client::streams::ReadResp;
use crate::proto::event_store::client::streams::read_resp::Content;
use crate::status::{stream_deleted, unreadable};

pub(super) async fn subscribe(
    store: EventStore,
    from: From,
    reading: Reading,
    stopping: Stopping,
) -> Result<Answers<ReadResp>, Status> {
    let room = ANSWERS_WAITING_MAX;
    match from {
        From::Stream { name, from } => {
            let guard = Guard::load(&store, &name).await.map_err(unreadable)?;
            if guard.is_tombstoned {
                return Err(stream_deleted(&name));
            }
            Ok(answer_until(stopping, room, |to| async move {
                stream(&store, &name, from, reading, &to).await
            }))
        }
        From::All { from, filter } => {
            let head = store.head().await.map_err(unreadable)?;
            let after = match from {
                Place::Start => Position::START,
                Place::At(position) => position,
                Place::End => head,
            };
            let all = All { store, after, head, filter, reading, looked_at: 0 };
            Ok(answer_until(stopping, room, |to| async move { all.run(&to).await }))
        }
    }
}

/// Catches up by reading the stream, then follows the log from where it stood before.
async fn stream(
    store: &EventStore,
    name: &str,
    from: Place<u64>,
    reading: Reading,
    to: &Sender<ReadResp>,
) -> Result<(), Status> {
    send(to, confirmation()).await?;
    let head = store.head().await.map_err(unreadable)?;
    let stream = stored(name);
    let guard = Guard::load(store, name).await.map_err(unreadable)?;
    let events = store.stream_revision(&stream).await.map_err(unreadable)?;
    let first = guard.settings.first_visible(events).min(u64::from(events.get()));
    let first = Revision::new(u32::try_from(first).unwrap_or(u32::MAX));
    let mut after = match from {
        Place::Start => first,
        Place::At(revision) => {
            Revision::new(u32::try_from(revision.saturating_add(1)).unwrap_or(u32::MAX)).max(first)
        }
        Place::End => events,
    };
    loop {
        let page = store.read_stream_page(&stream, after, PAGE_EVENTS).await.map_err(unreadable)?;
        let Some(last) = page.last() else { break };
        after = last.revision;
        for recorded in page {
            let told = told(store, recorded.into(), reading).await?;
            send(to, content(Content::Event(told))).await?;
        }
    }
    let now = time(store.clock().await.map_err(unreadable)?);
    send(to, caught_up_with_stream(after.get(), Some(now))).await?;
    follow(store, name, head, after, reading, to).await
}

async fn follow(
    store: &EventStore,
    name: &str,
    head: Position,
    mut after: Revision,
    reading: Reading,
    to: &Sender<ReadResp>,
) -> Result<(), Status> {
    let (stream, settings) = (stored(name), settings_of(name));
    let mut log = store.subscribe(head);
    loop {
        for recorded in log.next_batch(PAGE_EVENTS).await.map_err(unreadable)? {
            if recorded.stream == settings && is_tombstone(&recorded) {
                return Err(stream_deleted(name));
            }
            if recorded.stream == stream && recorded.revision > after {
                after = recorded.revision;
                let told = told(store, recorded.into(), reading).await?;
                send(to, content(Content::Event(told))).await?;
            }
        }
    }
}

struct All {
    store: EventStore,
    after: Position,
    /// The last position that was there when it began.
    head: Position,
    filter: Option<Filter>,
    reading: Reading,
    /// Events since the last checkpoint.
    looked_at: u64,
}

impl All {
    async fn run(mut self, to: &Sender<ReadResp>) -> Result<(), Status> {
        send(to, confirmation()).await?;
        let mut log = self.store.subscribe(self.after);
        let mut is_live = self.after >= self.head;
        if is_live {
            self.caught_up(to).await?;
        }
        loop {
            for recorded in log.next_batch(PAGE_EVENTS).await.map_err(unreadable)? {
                self.after = recorded.position;
                self.tell(recorded.into(), to).await?;
                if !is_live && self.after >= self.head {
                    is_live = true;
                    self.caught_up(to).await?;
                }
            }
        }
    }

    async fn tell(&mut self, event: Event, to: &Sender<ReadResp>) -> Result<(), Status> {
        let is_asked_for = self.filter.as_ref().is_none_or(|filter| filter.matches(&event));
        if is_asked_for {
            let told = told(&self.store, event, self.reading).await?;
            send(to, content(Content::Event(told))).await?;
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
        let now = time(self.store.clock().await.map_err(unreadable)?);
        send(to, checkpoint(self.after.to_stored(), Some(now))).await
    }

    async fn caught_up(&mut self, to: &Sender<ReadResp>) -> Result<(), Status> {
        if self.filter.is_some() && self.looked_at > 0 {
            self.checkpoint(to).await?;
        }
        let now = time(self.store.clock().await.map_err(unreadable)?);
        send(to, caught_up_with_all(self.after.to_stored(), Some(now))).await
    }
}
