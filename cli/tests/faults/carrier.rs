//! NATS dies, loses everything, loses the stream, or stands still; nobody who works notices, and no mail waits for it.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{self, stream::Stream};
use async_trait::async_trait;

use crate::checker::Findings;
use crate::fault::{self, Fault};
use crate::world::{Role, World};

/// As the configuration names it unless it is told otherwise.
pub const STREAM: &str = "keynest";
/// Until the relay has found the stream again and written what is missing.
const RELAYED_WITHIN: Duration = Duration::from_secs(120);
/// Until the mailer's process has noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(60);
/// Requests after that, before NATS is back.
const REQUESTS_WITHOUT: u64 = 10;
/// Without NATS the mailer reads the log itself.
const MAILED_WITHIN: Duration = Duration::from_secs(60);
/// The event may have been passed before the stream was there again.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(4);
/// Between two looks at the stream.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Killed,
    /// Killed, and its directory deleted.
    Wiped,
    /// It runs, and somebody deletes the stream.
    StreamDeleted,
    /// SIGSTOP: it keeps its connections and answers nothing.
    Paused,
}

pub struct Carrier {
    name: &'static str,
    loss: Loss,
    wrong: Vec<(&'static str, String)>,
    unanswered: u64,
    /// How often the mailer's feed was interrupted before.
    interrupted: f64,
}

impl Carrier {
    pub fn new(name: &'static str, loss: Loss) -> Self {
        Self { name, loss, wrong: Vec::new(), unanswered: 0, interrupted: 0.0 }
    }
}

#[async_trait]
impl Fault for Carrier {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn inject(&mut self, world: &mut World) {
        self.unanswered = unanswered(world);
        self.interrupted = interrupted(world).await;
        match self.loss {
            Loss::Killed | Loss::Wiped => world.nats.kill(),
            Loss::Paused => world.nats.pause(),
            Loss::StreamDeleted => {
                context(world).await.delete_stream(STREAM).await.unwrap();
            }
        }
    }

    async fn heal(&mut self, world: &mut World) {
        if !notices(world, self.interrupted).await {
            self.wrong.push(("I11", format!("{}: nobody notices", self.name)));
        }
        fault::hold(world, REQUESTS_WITHOUT).await;
        if !mails_without(world).await {
            let what = format!("{}: the mailer waits for NATS", self.name);
            self.wrong.push(("I11", what));
        }
        let silent = unanswered(world) - self.unanswered;
        if silent > 0 {
            let what = format!("{}: {silent} requests had no answer meanwhile", self.name);
            self.wrong.push(("I11", what));
        }
        match self.loss {
            Loss::Killed => world.nats.restart(),
            Loss::Wiped => world.nats.restart_empty(),
            Loss::Paused => world.nats.resume(),
            Loss::StreamDeleted => {}
        }
    }

    async fn check(&mut self, world: &mut World, findings: &mut Findings) {
        self.wrong.drain(..).for_each(|(invariant, what)| findings.add(invariant, what));
        if tokio::time::timeout(RELAYED_WITHIN, self.relayed(world)).await.is_err() {
            let what = format!("{}: the stream does not come to the end of the log", self.name);
            return findings.add("I5", what);
        }
        fault::catch_up(world).await;
        let mut last = None;
        for mark in marks(world).await {
            findings.count("I5", 1);
            if last.is_some_and(|last| last != mark.previous) {
                let what = format!("{}: the stream has {mark:?} behind {last:?}", self.name);
                findings.add("I5", what);
            }
            last = Some(mark.position);
        }
    }
}

/// Whether the mailer's process learns that NATS does not answer, more often than so far.
pub async fn notices(world: &World, before: f64) -> bool {
    let noticed = async {
        let mut every = tokio::time::interval(LOOK_EVERY);
        while interrupted(world).await <= before {
            every.tick().await;
        }
    };
    tokio::time::timeout(NOTICED_WITHIN, noticed).await.is_ok()
}

/// Whether mails leave without NATS.
pub async fn mails_without(world: &World) -> bool {
    tokio::time::timeout(MAILED_WITHIN, fault::catch_up(world)).await.is_ok()
}

pub async fn interrupted(world: &World) -> f64 {
    let name = r#"keynest_feed_interrupted_total{durable="mailer"} "#;
    world.metrics(Role::Work, name).await.into_iter().sum()
}

fn unanswered(world: &World) -> u64 {
    world.ledger.open().unanswered
}

pub async fn context(world: &World) -> jetstream::Context {
    jetstream::new(async_nats::connect(world.nats.url()).await.unwrap())
}

impl Carrier {
    /// Until something new comes through the stream. After a loss it begins where the mailer stands, so what is there
    /// already may not be in it.
    async fn relayed(&mut self, world: &mut World) {
        loop {
            world.newcomer().await;
            if tokio::time::timeout(TRIED_AGAIN_AFTER, is_at_the_end(world)).await.is_ok() {
                return;
            }
        }
    }
}

/// Until the last event of the log is the last message of the stream.
async fn is_at_the_end(world: &World) {
    let query =
        "select max(e.position) from store.events e join store.streams s on s.id = e.stream_id
        where s.name not like 'access-%'";
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let last: i64 = sqlx::query_scalar(query).fetch_one(&world.db).await.unwrap();
        let Ok(stream) = context(world).await.get_stream(STREAM).await else { continue };
        let Ok(message) = stream.get_last_raw_message_by_subject(">").await else { continue };
        if Mark::read(&message.headers).position == last {
            return;
        }
    }
}

#[derive(Debug)]
struct Mark {
    position: i64,
    previous: i64,
}

impl Mark {
    fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name).unwrap().as_str().parse().unwrap();
        Self { position: number("ce-position"), previous: number("ce-previous") }
    }
}

/// Of the newest messages, in the order of the stream.
async fn marks(world: &World) -> Vec<Mark> {
    let messages = messages(&stream(world).await).await;
    messages.iter().map(|message| Mark::read(&message.headers)).collect()
}

pub async fn stream(world: &World) -> Stream {
    context(world).await.get_stream(STREAM).await.unwrap()
}

/// Messages that are looked at, so that a long run stays bounded.
const MESSAGES_MAX: u64 = 5_000;

/// What is in the stream now, and the newest of it if that is much.
pub async fn messages(stream: &Stream) -> Vec<jetstream::message::StreamMessage> {
    let state = stream.get_info().await.unwrap().state;
    let mut messages = Vec::new();
    let first = (state.last_sequence + 1).saturating_sub(MESSAGES_MAX);
    for sequence in state.first_sequence.max(first).max(1)..=state.last_sequence {
        messages.push(stream.direct_get(sequence).await.unwrap());
    }
    messages
}
