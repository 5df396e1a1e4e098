//! JetStream under the feed, over a real server: what the relay writes, and what happens when NATS does not behave.

mod cluster;
mod connect;
mod credentials;
mod faults;
mod gate;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, message::StreamMessage};
use keynest_store::EventStore;
use keynest_workers::{Consumer, Feed, JetStream, NatsSettings, Reactor, Relay};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::carrier::lead::running;
use crate::carrier::probe::{Answer, Probe};
use crate::nats_server::NatsServer;
use crate::world::World;

/// Far longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server, this process's connection to it, and a relay.
pub struct Nats {
    pub server: NatsServer,
    pub jetstream: JetStream,
    /// An observer's own connection.
    pub observer: jetstream::Context,
    _relay: Option<DropGuard>,
}

impl Nats {
    pub async fn start(store: &EventStore, pool: &PgPool) -> Self {
        let nats = Self::without_relay().await;
        let relay = relay(nats.jetstream.clone(), store, pool);
        Self { _relay: Some(relay), ..nats }
    }

    pub async fn without_relay() -> Self {
        let server = NatsServer::start();
        let settings = settings(&server);
        let observer = observer(&settings).await;
        let jetstream = JetStream::connect(settings).await.unwrap();
        Self { server, jetstream, observer, _relay: None }
    }

    /// Everything in the stream; nothing if there is no stream.
    pub async fn messages(&self) -> Vec<StreamMessage> {
        messages(&self.observer).await
    }
}

pub async fn messages(observer: &jetstream::Context) -> Vec<StreamMessage> {
    let Ok(stream) = observer.get_stream("keynest").await else { return Vec::new() };
    let state = &stream.cached_info().state;
    let mut messages = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        messages.extend(stream.get_raw_message(sequence).await.ok());
    }
    messages
}

/// Where in the log the messages of a stream stand; each names the one before it.
pub fn positions(messages: &[StreamMessage]) -> Vec<u64> {
    let number =
        |message: &StreamMessage, name: &str| message.headers.get(name)?.as_str().parse().ok();
    let positions: Vec<u64> =
        messages.iter().filter_map(|message| number(message, "ce-position")).collect();
    for (message, before) in messages.iter().skip(1).zip(&positions) {
        assert_eq!(number(message, "ce-previous"), Some(*before), "in {positions:?}");
    }
    positions
}

/// Quick to notice what is wrong, and never asking the log of its own accord: what arrives came by NATS.
pub fn settings(server: &NatsServer) -> NatsSettings {
    settings_for(&server.url())
}

pub fn settings_for(url: &str) -> NatsSettings {
    NatsSettings {
        url: url.into(),
        heartbeat: Duration::from_millis(500),
        poll: Duration::from_secs(3_600),
        request_timeout: Duration::from_secs(2),
        ..NatsSettings::default()
    }
}

/// A look from outside.
pub async fn observer(settings: &NatsSettings) -> jetstream::Context {
    let mut options = ConnectOptions::new();
    if let Some(file) = &settings.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    if let Some((certificate, key)) = settings.client_certificate.clone() {
        options = options.add_client_certificate(certificate, key);
    }
    // A server that asks for nobody does not mind.
    options = options.user_and_password("keynest".to_owned(), "corr=ect".to_owned());
    jetstream::new(options.connect(settings.url.expose_secret()).await.unwrap())
}

/// A consumer at work over a connection of its own, with or without a relay.
pub struct AtWork {
    pub probe: Arc<Probe>,
    pub arrivals: UnboundedReceiver<i64>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _relay: Option<DropGuard>,
}

impl AtWork {
    /// Over the relay that is there.
    pub async fn start(
        world: &World,
        nats: JetStream,
        answer: impl Fn(i64) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let feed = Feed::JetStream(world.store.clone(), Box::new(nats));
        let (probe, arrivals) = Probe::heard("probe", answer);
        let reactor = Arc::clone(&probe) as Arc<dyn Reactor>;
        let consumer = Consumer::new(feed, world.pool.clone(), world.clock.clone(), reactor);
        consumer.start().await.unwrap();
        let (stop, task) = running(consumer);
        Self { probe, arrivals, stop, task, _relay: None }
    }

    /// With a relay over the same connection.
    pub async fn with_relay(world: &World, nats: JetStream) -> Self {
        let relay = relay(nats.clone(), &world.store, &world.pool);
        Self { _relay: Some(relay), ..Self::start(world, nats, |_| Answer::Done).await }
    }

    pub async fn arrives(&mut self, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            assert_eq!(arrival(&mut self.arrivals).await, number);
        }
    }

    /// The numbers of all tries, in order.
    pub async fn stop(self) -> Vec<i64> {
        self.stop.cancel();
        self.task.await.unwrap();
        self.probe.handled()
    }
}

pub fn relay(nats: JetStream, store: &EventStore, pool: &PgPool) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(Relay::new(nats, store.clone(), pool.clone()).run(stop.clone()));
    stop.drop_guard()
}

pub async fn consumer(observer: &jetstream::Context, durable: &str) -> Option<PullConsumer> {
    observer.get_stream("keynest").await.ok()?.get_consumer(durable).await.ok()
}

/// Waits until a consumer is there and somebody pulls.
pub async fn is_pulled(observer: &jetstream::Context, durable: &str) {
    until(async || match consumer(observer, durable).await {
        Some(mut consumer) => consumer.info().await.is_ok_and(|info| info.num_waiting > 0),
        None => false,
    })
    .await;
}

pub async fn arrival(arrivals: &mut UnboundedReceiver<i64>) -> i64 {
    timeout(PATIENCE, arrivals.recv()).await.expect("it arrives").unwrap()
}

/// Waits for something that another task brings about.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes about");
}
