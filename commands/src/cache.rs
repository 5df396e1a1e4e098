//! Folded states kept between commands, valid only as far as the append confirms their revision (DESIGN 4).

use std::any::Any;
use std::sync::Arc;

use keynest_domain::StreamName;
use keynest_store::Revision;
use moka::sync::Cache;

/// Streams whose state is kept, at most.
pub const STATES_MAX_DEFAULT: u64 = 4_096;

/// A state and the revision that it was folded up to.
#[derive(Clone)]
pub(crate) struct Folded {
    pub revision: Revision,
    pub state: Arc<dyn Any + Send + Sync>,
}

/// Bounded, shared by all commands of a process.
#[derive(Clone)]
pub(crate) struct States(Cache<StreamName, Folded>);

impl States {
    pub fn new(capacity: u64) -> Self {
        Self(Cache::new(capacity))
    }

    pub fn get(&self, stream: &StreamName) -> Option<Folded> {
        self.0.get(stream)
    }

    pub fn put(&self, stream: StreamName, folded: Folded) {
        self.0.insert(stream, folded);
    }

    pub fn forget(&self, stream: &StreamName) {
        self.0.invalidate(stream);
    }
}
