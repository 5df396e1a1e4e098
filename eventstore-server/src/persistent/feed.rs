//! What a group follows: a stream or all of them, from a place on.

use keynest_domain::StreamName;
use keynest_store::{EventStore, Position, ReadError, Recorded, Revision, Subscription};

use super::config::{Config, GroupKey};
use crate::envelope::Event;
use crate::filter::Filter;
use crate::guard::Guard;

/// Events that are fetched at a time.
const PAGE_EVENTS: usize = 256;
/// How the streams begin that groups write.
const OWN_STREAMS: &str = "$persistentsubscription-";

pub(super) struct Feed {
    store: EventStore,
    stream: Option<StreamName>,
    filter: Option<Filter>,
    /// Of a stream: behind which revision it reads on.
    after: Revision,
    /// None while a stream is being caught up with.
    log: Option<Subscription>,
    /// Where the log stood before a stream was read.
    head: Option<Position>,
}

impl Feed {
    /// From `next` on, the place itself included.
    pub(super) fn new(
        store: &EventStore,
        key: &GroupKey,
        config: &Config,
        next: u64,
    ) -> Result<Self, tonic::Status> {
        let stream = key.stream();
        let log = match stream {
            Some(_) => None,
            None => Some(store.subscribe(Position::from_stored(next.saturating_sub(1)))),
        };
        let after = Revision::new(u32::try_from(next).unwrap_or(u32::MAX));
        let filter = config.filter()?;
        Ok(Self { store: store.clone(), stream, filter, after, log, head: None })
    }

    /// The next events, with their place. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Vec<(u64, Event)>, ReadError> {
        loop {
            let batch = match (&self.stream, &mut self.log) {
                (Some(stream), None) => {
                    if self.head.is_none() {
                        let head = self.store.head().await?;
                        let guard = Guard::load(&self.store, stream.as_str()).await?;
                        let events = self.store.stream_revision(stream).await?;
                        let first = guard.settings.first_visible(events).min(events.get().into());
                        let first = Revision::new(u32::try_from(first).unwrap_or(u32::MAX));
                        (self.head, self.after) = (Some(head), self.after.max(first));
                    }
                    let page = self.store.read_stream_page(stream, self.after, PAGE_EVENTS).await?;
                    if page.is_empty() {
                        let head = self.head.unwrap_or(Position::START);
                        self.log = Some(self.store.subscribe(head));
                        continue;
                    }
                    page
                }
                (_, Some(log)) => log.next_batch(PAGE_EVENTS).await?,
                (None, None) => return Ok(Vec::new()),
            };
            let found: Vec<_> = batch.into_iter().filter_map(|it| self.wanted(it)).collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }

    fn wanted(&mut self, recorded: Recorded) -> Option<(u64, Event)> {
        let Some(stream) = &self.stream else {
            let event = Event::from(recorded);
            // What groups write themselves would keep them busy for ever.
            if event.stream.starts_with(OWN_STREAMS) {
                return None;
            }
            let is_wanted = self.filter.as_ref().is_none_or(|filter| filter.matches(&event));
            return is_wanted.then(|| (event.position.to_stored(), event));
        };
        if recorded.stream != *stream || recorded.revision <= self.after {
            return None;
        }
        self.after = recorded.revision;
        let event = Event::from(recorded);
        Some((event.revision, event))
    }
}
