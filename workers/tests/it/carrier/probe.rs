//! A reactor that writes down what it gets, and answers as a test tells it; events with a number each.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use keynest_domain::login::LoginUnlocked;
use keynest_domain::{Event, StreamName, Timestamp, login};
use keynest_store::{Append, EventStore, Expected, Metadata, NewEvent, StreamAppend, encode};
use keynest_workers::{Consumer, Delivery, Reactor, WorkError};
use tokio::sync::{Notify, mpsc};

use crate::world::World;

pub const WANTED: &str = "login.unlocked";

/// What a handler does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Retry,
    GiveUp,
    Panic,
    Hang,
    /// Waits for [`Probe::gate`].
    Wait,
}

pub struct Probe {
    durable: &'static str,
    answer: Box<dyn Fn(i64) -> Answer + Send + Sync>,
    handled: Mutex<Vec<i64>>,
    arrived: mpsc::UnboundedSender<i64>,
    pub gate: Notify,
}

impl Probe {
    pub fn new(
        durable: &'static str,
        answer: impl Fn(i64) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::heard(durable, answer).0
    }

    /// With a channel that tells of every arrival.
    pub fn heard(
        durable: &'static str,
        answer: impl Fn(i64) -> Answer + Send + Sync + 'static,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<i64>) {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (answer, handled, gate) = (Box::new(answer), Mutex::default(), Notify::new());
        (Arc::new(Self { durable, answer, handled, arrived, gate }), arrivals)
    }

    /// The numbers of all tries, in order.
    pub fn handled(&self) -> Vec<i64> {
        self.handled.lock().unwrap().clone()
    }
}

#[async_trait]
impl Reactor for Probe {
    fn durable(&self) -> &'static str {
        self.durable
    }

    fn wants(&self, event_name: &str) -> bool {
        event_name == WANTED
    }

    async fn handle(&self, delivery: &Delivery) -> Result<(), WorkError> {
        let Event::Login(login::Event::LoginUnlocked(event)) = &delivery.event else {
            panic!("only wanted events come")
        };
        let number = event.at.micros();
        self.handled.lock().unwrap().push(number);
        let _ = self.arrived.send(number);
        match (self.answer)(number) {
            Answer::Done => Ok(()),
            Answer::Retry => Err(WorkError::Retry("not now".to_owned())),
            Answer::GiveUp => Err(WorkError::GiveUp("never".to_owned())),
            Answer::Panic => panic!("a planned panic"),
            Answer::Hang => std::future::pending().await,
            Answer::Wait => {
                self.gate.notified().await;
                Ok(())
            }
        }
    }
}

impl World {
    /// A consumer that has taken its place.
    pub async fn consumer(&self, probe: &Arc<Probe>) -> Consumer {
        let consumer = self.restarted(probe);
        consumer.start().await.unwrap();
        consumer
    }

    /// A consumer of a process that has just started.
    pub fn restarted(&self, probe: &Arc<Probe>) -> Consumer {
        let reactor = Arc::clone(probe) as Arc<dyn Reactor>;
        let feed = self.feed();
        Consumer::new(feed, self.pool.clone(), self.clock.clone(), reactor)
    }

    /// Appends wanted events with these numbers, each followed by one that is not wanted.
    pub async fn append(&self, numbers: impl IntoIterator<Item = i64>) {
        let wanted = numbers.into_iter().flat_map(|number| [numbered(number), unwanted()]);
        self.append_raw(wanted.collect()).await;
    }

    pub async fn append_raw(&self, events: Vec<NewEvent>) {
        append_to(&self.store, self.clock.command_id(), events).await;
    }
}

async fn append_to(
    store: &EventStore,
    command_id: keynest_domain::CommandId,
    events: Vec<NewEvent>,
) {
    let stream = StreamName::new("login", command_id);
    let streams = vec![StreamAppend { stream, expected: Expected::Any, events }];
    let (checks, claims, releases) = (Vec::new(), Vec::new(), Vec::new());
    let metadata = Metadata::default();
    store.append(Append { command_id, streams, checks, claims, releases, metadata }).await.unwrap();
}

pub fn numbered(number: i64) -> NewEvent {
    encode(&Event::from(LoginUnlocked { user: None, at: Timestamp::from_micros(number) }))
}

pub fn unwanted() -> NewEvent {
    raw("login.of_the_future", 1, "{}")
}

pub fn raw(name: &str, version: u16, data: &'static str) -> NewEvent {
    NewEvent { name: name.into(), version, data: Bytes::from_static(data.as_bytes()) }
}
