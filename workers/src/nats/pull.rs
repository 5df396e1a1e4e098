//! One consumer's side of JetStream: pulls, says how far the log may be read, acknowledges what is settled.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Stream;
use futures::StreamExt;
use keynest_store::{EventStore, Position};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::connect::JetStream;
use super::error::NatsError;
use super::message::Mark;

/// Pause before a consumer that was interrupted attaches again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the carrier says to whoever reads the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// The log goes at least up to here.
    pub until: Position,
    /// Grows when the log is to be read whatever was told.
    pub rounds: u64,
}

pub(super) struct Pull {
    pub nats: JetStream,
    /// Asked only whether the log goes as far as a message says.
    pub store: EventStore,
    pub durable: &'static str,
    pub told: watch::Sender<Told>,
    /// Up to where everything is handled or in the work table, and in the checkpoint.
    pub settled: watch::Receiver<Position>,
}

/// What one attachment has got.
#[derive(Default)]
struct Taken {
    /// Not acknowledged yet, in order.
    waiting: VecDeque<(Position, Message)>,
    last: Option<Position>,
}

impl Pull {
    /// Attaches, and attaches again whenever that ends. Not before it was tried is anything to be read: then the log is read
    /// whether it went well or not, since messages that somebody else was given come late or never.
    pub async fn run(mut self) {
        let mut is_well = true;
        loop {
            let attached = self.attach().await;
            let was_well = attached.is_ok();
            let error = match attached {
                Ok(messages) => {
                    tracing::info!(durable = self.durable, "attached to JetStream");
                    self.serve(messages).await
                }
                Err(error) => error,
            };
            let durable = self.durable;
            metrics::counter!("keynest_feed_interrupted_total", "durable" => durable).increment(1);
            // Once for each outage, not for each try.
            if is_well || was_well {
                tracing::warn!(
                    durable,
                    error = &error as &dyn std::error::Error,
                    "JetStream is interrupted, reading the log itself"
                );
            }
            is_well = was_well;
            self.read_on();
            sleep(PAUSE).await;
        }
    }

    /// Makes the consumer, or brings it to the configuration, and begins to pull.
    async fn attach(&self) -> Result<Stream, NatsError> {
        let settings = &self.nats.settings;
        let stream = self.nats.stream().await?;
        let made = stream.create_consumer(settings.consumer_config(self.durable)).await;
        let consumer =
            made.map_err(|error| NatsError::refused("make the consumer")(Box::new(error)))?;
        let pulled = consumer
            .stream()
            .max_messages_per_batch(settings.unacknowledged_max)
            .heartbeat(settings.heartbeat)
            .expires(settings.pull_expires())
            .messages()
            .await;
        pulled.map_err(|error| NatsError::refused("send messages")(Box::new(error)))
    }

    /// Until something is wrong.
    async fn serve(&mut self, mut messages: Stream) -> NatsError {
        let mut taken = Taken::default();
        // The first tick is now: what came before this attachment.
        let mut poll = interval(self.nats.settings.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(message)) => self.take(message, &mut taken).await,
                    Some(Err(error)) => return NatsError::refused("send messages")(Box::new(error)),
                    None => return NatsError::NotConnected,
                },
                // The other end goes with this task only.
                _ = self.settled.changed() => {}
                _ = poll.tick() => self.read_on(),
            }
            if let Err(error) = self.acknowledge(&mut taken).await {
                return error;
            }
        }
    }

    async fn take(&self, message: Message, taken: &mut Taken) {
        let mark = message.headers.as_ref().and_then(Mark::read);
        let mark = match mark {
            Some(mark) if self.is_of_the_log(&mark).await => Some(mark),
            _ => None,
        };
        let last = taken.last.unwrap_or_default();
        match mark {
            Some(mark) if mark.position > last => {
                if taken.last.is_some_and(|last| mark.previous > last) {
                    tracing::warn!(
                        durable = self.durable,
                        event.position = mark.position.to_stored(),
                        "JetStream has a hole; it is read from the log"
                    );
                    let durable = self.durable;
                    metrics::counter!("keynest_feed_holes_total", "durable" => durable)
                        .increment(1);
                }
                taken.waiting.push_back((mark.position, message));
                taken.last = Some(mark.position);
                self.told.send_if_modified(|told| {
                    let is_news = mark.position > told.until;
                    told.until = told.until.max(mark.position);
                    is_news
                });
            }
            // Once more, of another life of the log, or nobody's: done as soon as what came before it is, also what came
            // to an earlier attachment.
            _ if taken.waiting.is_empty() => {
                taken.waiting.push_back((self.told.borrow().until, message));
            }
            _ => {}
        }
    }

    /// Somebody else may say anything, and what lies beyond the end of the log would be waited for.
    async fn is_of_the_log(&self, mark: &Mark) -> bool {
        if mark.incarnation != self.store.incarnation() {
            return false;
        }
        let known = *self.store.watch_head().borrow();
        mark.position <= known || self.store.head().await.is_ok_and(|head| mark.position <= head)
    }

    /// One word for everything up to the last message that is settled.
    async fn acknowledge(&mut self, taken: &mut Taken) -> Result<(), NatsError> {
        let settled = *self.settled.borrow_and_update();
        let mut last = None;
        while let Some((_, message)) =
            taken.waiting.pop_front_if(|(position, _)| *position <= settled)
        {
            last = Some(message);
        }
        match last {
            Some(message) => {
                message.ack().await.map_err(NatsError::refused("take an acknowledgement"))
            }
            None => Ok(()),
        }
    }

    fn read_on(&self) {
        self.told.send_modify(|told| told.rounds += 1);
    }
}
