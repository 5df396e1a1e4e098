//! The relay: one process at a time writes the log to the stream, every event behind the one before it.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use keynest_domain::EventId;
use keynest_store::{EventStore, Position, ReadError, Recorded};
use sqlx::PgPool;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connect::JetStream;
use super::error::NatsError;
use super::message::{Mark, message, subject};
use super::stream::Said;
use crate::lead::Lead;
use crate::work::WorkTable;

/// The relay's name where durables have theirs.
pub const RELAY: &str = "nats-relay";

/// Pause after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// While nothing happens, the stream is looked at so often: somebody may have taken it away.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Messages of others at the end of the stream that are passed by to find the last one of a relay.
const FOREIGN_MAX: u32 = 256;
/// Streams of reveals, relayed only if asked for.
const ACCESS: &str = "access";

/// Writes the log to JetStream. Any number of processes may run one: one leads. Should two write nevertheless, because one was
/// paused while it led, the stream takes a message only behind the one that its writer saw last.
pub struct Relay {
    nats: JetStream,
    store: EventStore,
    table: WorkTable,
    pool: PgPool,
}

/// How far the stream is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Of the last message in the stream.
    sequence: u64,
    /// The event of that message, or where the stream began.
    relayed: Position,
    /// The last event that was looked at.
    seen: Position,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error("follow the log")]
    Log(#[from] ReadError),
    #[error("read the places of consumers")]
    Places(#[from] sqlx::Error),
    #[error("the stream is not where this relay left it")]
    Moved,
}

impl Relay {
    /// Puts a relay together; `pool` is the durable one.
    pub fn new(nats: JetStream, store: EventStore, pool: PgPool) -> Self {
        Self { nats, store, table: WorkTable::new(pool.clone()), pool }
    }

    /// Runs until it is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.lead(&stop).await {
                tracing::warn!(
                    durable = RELAY,
                    error = &error as &dyn std::error::Error,
                    "relay stopped, starting again"
                );
                stop.run_until_cancelled(sleep(PAUSE)).await;
            }
        }
    }

    async fn lead(&self, stop: &CancellationToken) -> Result<(), sqlx::Error> {
        let Some(mut lead) = Lead::win(&self.pool, RELAY, stop).await? else {
            return Ok(());
        };
        tokio::select! {
            error = lead.lost() => return Err(error),
            () = self.write(stop) => {}
        }
        lead.resign().await
    }

    /// Writes, whatever happens to NATS, until it is cancelled.
    async fn write(&self, stop: &CancellationToken) {
        let (mut place, mut last, mut is_well) = (None, None, true);
        loop {
            let Some(Err(error)) = stop.run_until_cancelled(self.follow(&mut place)).await else {
                return;
            };
            last = place.or(last);
            self.measure(last).await;
            let kind = if matches!(error, RelayError::Moved) { "moved" } else { "failed" };
            metrics::counter!("keynest_relay_interrupted_total", "why" => kind).increment(1);
            // Once for each outage, not for each try.
            if is_well || matches!(error, RelayError::Moved) {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "relay interrupted, looking where the stream ends"
                );
            }
            is_well = place.take().is_some();
            stop.run_until_cancelled(sleep(PAUSE)).await;
        }
    }

    /// From where the stream ends. Returns with an error only; `at` is where it came to, if it found the end.
    async fn follow(&self, at: &mut Option<Place>) -> Result<Infallible, RelayError> {
        let place = at.insert(self.resume().await?);
        let mut log = self.store.subscribe(place.seen);
        loop {
            match timeout(LOOK_EVERY, log.next_batch(self.nats.settings.publish_window)).await {
                Ok(batch) => self.send_all(&batch?, place).await?,
                Err(_) if self.nats.last_sequence().await? == place.sequence => {}
                Err(_) => return Err(RelayError::Moved),
            }
            self.measure(Some(*place)).await;
        }
    }

    /// Behind the last message of a relay or, if there is none of this life of the log, from the lowest place of a consumer.
    async fn resume(&self) -> Result<Place, RelayError> {
        let end = self.nats.end().await?;
        let (mut last, mut relayed) = (end.last, None);
        for _ in 0..FOREIGN_MAX {
            let Some(message) = last else { break };
            relayed = self.relayed(&message).await?;
            if relayed.is_some() {
                break;
            }
            last = self.nats.before(&message).await?;
        }
        let life = self.store.incarnation();
        let relayed = match relayed {
            Some(position) => position,
            None => self.table.lowest(life).await?.unwrap_or(self.store.head().await?),
        };
        tracing::info!(
            stream.sequence = end.sequence,
            event.position = relayed.to_stored(),
            "relay writes the log to JetStream"
        );
        Ok(Place { sequence: end.sequence, relayed, seen: relayed })
    }

    /// The event that a message is. Of another life of the log, or somebody else's: none, since nobody knows the ids of
    /// events to come.
    async fn relayed(&self, message: &Said) -> Result<Option<Position>, RelayError> {
        let Some((mark, event)) = message.mark else { return Ok(None) };
        if mark.incarnation != self.store.incarnation() {
            return Ok(None);
        }
        let there = self.store.read_at(mark.position).await?;
        Ok(there.filter(|it| it.event_id == event).map(|it| it.position))
    }

    async fn send_all(&self, batch: &[Recorded], place: &mut Place) -> Result<(), RelayError> {
        let is_relayed =
            |it: &&Recorded| self.nats.settings.has_access_events || it.stream.category() != ACCESS;
        let events: Vec<&Recorded> = batch.iter().filter(is_relayed).collect();
        let (mut rest, mut window) = (events.as_slice(), events.len());
        while !rest.is_empty() {
            let sent = self.send(&rest[..window.min(rest.len())], place).await?;
            // What followed an event that was there already was refused: one at a time from here on.
            if sent < window {
                window = 1;
            }
            rest = &rest[sent..];
        }
        if let Some(last) = batch.last() {
            place.seen = last.position;
        }
        Ok(())
    }

    /// Sends all, then waits for the answers. Says how many are in the stream.
    async fn send(&self, events: &[&Recorded], place: &mut Place) -> Result<usize, RelayError> {
        // What is sent without a connection would be kept and sent after whatever happens until then.
        self.nats.usable()?;
        let failed = |error| NatsError::refused("take an event")(error);
        let (mut sequence, mut previous) = (place.sequence, place.relayed);
        let (mut before, mut under_way) = (None::<EventId>, Vec::with_capacity(events.len()));
        for recorded in events {
            let (position, incarnation) = (recorded.position, self.store.incarnation());
            let mark = Mark { position, previous, incarnation };
            let mut message = message(recorded, mark, &self.nats.settings.source)
                .expected_last_sequence(sequence);
            // A message of somebody else would take the place of the one before: that is refused then, and this one would
            // fit behind the stranger.
            if let Some(before) = before {
                message = message.expected_last_message_id(before.to_string());
            }
            before = Some(recorded.event_id);
            let sent = self.nats.context.send_publish(subject(recorded), message).await;
            under_way.push(sent.map_err(|error| failed(Box::new(error)))?);
            (sequence, previous) = (sequence + 1, position);
        }
        let mut taken = 0;
        for (recorded, answer) in events.iter().zip(under_way) {
            let answer = answer.await.map_err(|error| {
                if is_refused_place(error.kind()) {
                    return RelayError::Moved;
                }
                failed(Box::new(error)).into()
            })?;
            (taken, place.relayed) = (taken + 1, recorded.position);
            if answer.duplicate {
                break;
            }
            place.sequence = answer.sequence;
        }
        metrics::counter!("keynest_relay_events_total").increment(taken as u64);
        Ok(taken)
    }

    async fn measure(&self, place: Option<Place>) {
        if let Some(place) = place {
            let head = *self.store.watch_head().borrow();
            match self.store.count_between(place.seen, head).await {
                Ok(behind) => metrics::gauge!("keynest_relay_lag_events").set(behind as f64),
                Err(error) => tracing::debug!(%error, "what the relay is behind cannot be counted"),
            }
        }
    }
}

/// The stream does not end where this relay believes.
fn is_refused_place(kind: PublishErrorKind) -> bool {
    matches!(kind, PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId)
}
