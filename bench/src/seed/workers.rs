//! Many appends at once, so that the group committer has batches to form.

use std::sync::Arc;

use anyhow::Context;
use keynest_domain::{Aggregate, Event, OrganizationId, UserId};
use keynest_store::{
    Append, ClaimKey, EventStore, Expected, Metadata, Revision, StreamAppend, encode,
};

use super::people::Parts;

/// Appends under way.
const WORKERS: usize = 32;

/// What makes and appends the nth of something.
pub trait Maker: Send + Sync + 'static {
    type Made: Send;
    fn make(&self, n: usize) -> impl Future<Output = anyhow::Result<Self::Made>> + Send;
}

/// Makes so many; the results in their order.
pub async fn all<M: Maker>(maker: M, count: usize) -> anyhow::Result<Vec<M::Made>>
where
    M::Made: 'static,
{
    let maker = Arc::new(maker);
    let workers = (0..WORKERS).map(|first| {
        let maker = Arc::clone(&maker);
        tokio::spawn(async move {
            let mut made = Vec::new();
            for n in (first..count).step_by(WORKERS) {
                made.push((n, maker.make(n).await?));
            }
            anyhow::Ok(made)
        })
    });
    let mut made = Vec::with_capacity(count);
    for worker in workers.collect::<Vec<_>>() {
        made.extend(worker.await??);
    }
    made.sort_unstable_by_key(|(n, _)| *n);
    Ok(made.into_iter().map(|(_, it)| it).collect())
}

/// An append that is being put together.
pub struct Draft(Append);

impl Draft {
    pub fn new(parts: &Parts, actor: Option<UserId>, organization: Option<OrganizationId>) -> Self {
        let metadata = Metadata { actor, organization, ..Metadata::default() };
        let (streams, checks, claims, releases) = Default::default();
        let command_id = parts.clock.command_id();
        Self(Append { command_id, streams, checks, claims, releases, metadata })
    }

    /// Events that begin a stream.
    pub fn begin<A: Aggregate>(&mut self, id: A::Id, events: &[Event]) {
        self.add::<A>(id, Expected::Exact(Revision::NONE), events);
    }

    /// Events of a stream that no rule reads, or that nobody else writes.
    pub fn add<A: Aggregate>(&mut self, id: A::Id, expected: Expected, events: &[Event]) {
        let events = events.iter().map(encode).collect();
        self.0.streams.push(StreamAppend { stream: A::stream(id), expected, events });
    }

    pub fn claim<A: Aggregate>(&mut self, key: ClaimKey, id: A::Id) {
        self.0.claims.push((key, A::stream(id)));
    }

    pub async fn append(self, store: &EventStore) -> anyhow::Result<()> {
        store.append(self.0).await.map(drop).context("append")
    }
}
