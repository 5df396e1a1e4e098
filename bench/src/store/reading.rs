//! Reading the whole log, and one stream of a hundred events again and again.

use std::time::Instant;

use keynest_commands::Clock;
use keynest_domain::access::Access;
use keynest_domain::{Aggregate, OrganizationId, StreamName};
use keynest_store::{
    Append, EventStore, Expected, Metadata, Position, READ_EVENTS_MAX, Revision, StreamAppend,
};
use serde_json::{Value, json};

use super::appending::event;
use crate::limits::database::Scans;
use crate::load::{Caller, Load, Span, closed};
use crate::table::Table;

pub const STREAM_EVENTS: usize = 100;
const CLIENTS: [usize; 2] = [1, 64];
const TURNS: usize = 3;

pub struct Read {
    /// Events a second of the best turn over the log.
    pub all: f64,
    events: u64,
    streams: Vec<Load>,
}

struct Client {
    store: EventStore,
    stream: StreamName,
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        let events = self.store.read_stream(&self.stream, Revision::NONE).await?;
        anyhow::ensure!(events.len() == STREAM_EVENTS, "{} events", events.len());
        Ok(true)
    }
}

/// Fills the log up to so many events and reads it.
pub async fn measure(store: &EventStore, events: u64, span: Span) -> anyhow::Result<Read> {
    let clock = Clock::default();
    let mut streams = Vec::new();
    let there = store.count_between(Position::START, store.head().await?).await?;
    let mut left = events.saturating_sub(there);
    while left > 0 || streams.len() < CLIENTS[1] {
        streams.push(fill(store, &clock).await?);
        left = left.saturating_sub(STREAM_EVENTS as u64);
    }
    let mut all = 0.0_f64;
    let mut counted = 0;
    for _ in 0..TURNS {
        let began = Instant::now();
        counted = read_all(store).await?;
        all = all.max(counted as f64 / began.elapsed().as_secs_f64());
    }
    let mut loads = Vec::new();
    for clients in CLIENTS {
        let client = |stream: &StreamName| Client { store: store.clone(), stream: stream.clone() };
        let callers = streams.iter().take(clients).map(client).collect();
        loads.push(closed(callers, span).await?.0);
    }
    Ok(Read { all, events: counted, streams: loads })
}

async fn read_all(store: &EventStore) -> anyhow::Result<u64> {
    let (mut at, mut count) = (Position::START, 0);
    loop {
        let events = store.read_all(at, READ_EVENTS_MAX).await?;
        let Some(last) = events.last() else { return Ok(count) };
        at = last.position;
        count += events.len() as u64;
    }
}

async fn fill(store: &EventStore, clock: &Clock) -> anyhow::Result<StreamName> {
    let organization = OrganizationId::new(clock.integer_id());
    let (stream, event) = (Access::stream(organization), event(organization, clock));
    let (checks, claims, releases) = Default::default();
    let part = StreamAppend {
        stream: stream.clone(),
        expected: Expected::Any,
        events: vec![event; STREAM_EVENTS],
    };
    let (command_id, metadata) = (clock.command_id(), Metadata::default());
    let append = Append { command_id, streams: vec![part], checks, claims, releases, metadata };
    store.append(append).await?;
    Ok(stream)
}

impl Read {
    pub fn streams(&self) -> &[Load] {
        &self.streams
    }

    pub fn table(&self, scans: &Scans) -> Table {
        let head = ["reads", "clients", "per second", "p50, ms", "p99, ms", "errors"];
        let mut table = Table::new("Reads", head);
        let none = || "".to_owned();
        let all = format!("all {} events, in events", self.events);
        table.row([all, "1".to_owned(), format!("{:.0}", self.all), none(), none(), none()]);
        for (what, rate) in
            [("sent, not looked at", scans.sent), ("the server's own scan", scans.scanned)]
        {
            let cells = [format!("{what}, in events"), "1".to_owned(), format!("{rate:.0}")];
            table.row(cells.into_iter().chain([none(), none(), none()]));
        }
        for load in &self.streams {
            let cells = [format!("a stream of {STREAM_EVENTS}"), load.clients.to_string()];
            table.row(cells.into_iter().chain(load.cells()));
        }
        table
    }

    pub fn to_json(&self) -> Value {
        let streams: Vec<_> = self.streams.iter().map(|it| it.to_json("a stream")).collect();
        json!({ "events": self.events, "per_second": self.all, "streams": streams })
    }
}
