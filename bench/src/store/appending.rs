//! Clients that append one event at a time.

use keynest_commands::Clock;
use keynest_domain::access::{Access, VariablesRead};
use keynest_domain::{Aggregate, Event, OrganizationId, StreamName, VariableId};
use keynest_store::{
    Append, EventStore, Expected, Metadata, NewEvent, Revision, StreamAppend, encode,
};
use sqlx::{PgConnection, query_scalar};

use crate::load::{Caller, Load, Span, closed};

/// As many as make a payload of 260 bytes, about.
const VARIABLES: usize = 13;

/// Where the clients append to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Each to its own, at the revision that it knows.
    Own,
    /// All to one, whatever its revision is.
    Hot,
}

impl Streams {
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own streams",
            Self::Hot => "one hot stream",
        }
    }
}

pub struct Client {
    store: EventStore,
    clock: Clock,
    stream: StreamName,
    revision: Option<Revision>,
    event: NewEvent,
}

impl Client {
    pub fn new(store: &EventStore, clock: &Clock, streams: Streams) -> Self {
        let (id, revision) = match streams {
            Streams::Own => (clock.integer_id(), Some(Revision::NONE)),
            Streams::Hot => (1, None),
        };
        let organization = OrganizationId::new(id);
        Self {
            store: store.clone(),
            clock: clock.clone(),
            stream: Access::stream(organization),
            revision,
            event: event(organization, clock),
        }
    }
}

/// A reading of some values: an event as the product has most of them.
pub fn event(organization: OrganizationId, clock: &Clock) -> NewEvent {
    let variables = (0..VARIABLES).map(|_| VariableId::new(clock.integer_id())).collect();
    encode(&Event::from(VariablesRead { organization, variables }))
}

impl Caller for Client {
    async fn call(&mut self) -> anyhow::Result<bool> {
        let (checks, claims, releases) = Default::default();
        let expected = self.revision.map_or(Expected::Any, Expected::Exact);
        let events = vec![self.event.clone()];
        let append = Append {
            command_id: self.clock.command_id(),
            streams: vec![StreamAppend { stream: self.stream.clone(), expected, events }],
            checks,
            claims,
            releases,
            metadata: Metadata::default(),
        };
        self.store.append(append).await?;
        self.revision = self.revision.map(|revision| revision.plus(1));
        Ok(true)
    }
}

/// The load, and how many events a commit had: those of one batch have the same time.
pub async fn measure(
    store: &EventStore,
    connection: &mut PgConnection,
    clients: usize,
    streams: Streams,
    span: Span,
) -> anyhow::Result<(Load, f64)> {
    let before = head(connection).await?;
    let load = load(store, clients, streams, span).await?;
    Ok((load, batch(connection, before).await?))
}

pub async fn load(
    store: &EventStore,
    clients: usize,
    streams: Streams,
    span: Span,
) -> anyhow::Result<Load> {
    let clock = Clock::default();
    let callers = (0..clients).map(|_| Client::new(store, &clock, streams)).collect();
    Ok(closed(callers, span).await?.0)
}

/// The last position of the log.
pub async fn head(connection: &mut PgConnection) -> anyhow::Result<i64> {
    Ok(query_scalar("select position from store.log").fetch_one(connection).await?)
}

/// Events of one commit behind a position, on average.
pub async fn batch(connection: &mut PgConnection, after: i64) -> anyhow::Result<f64> {
    let sql = "select coalesce(count(*)::float8 / nullif(count(distinct recorded_at), 0), 0) from store.events where position > $1";
    Ok(query_scalar(sql).bind(after).fetch_one(connection).await?)
}
