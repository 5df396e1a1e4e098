//! Folded states kept between commands, valid only as far as the append confirms their revision (DESIGN 4).

use std::any::Any;
use std::sync::Arc;

use keynest_domain::{EnvironmentId, StreamName, VariableId};
use keynest_store::Revision;
use moka::sync::Cache;

/// Streams whose state is kept, at most.
pub const STATES_MAX_DEFAULT: u64 = 4_096;

/// Variables whose environment is kept, for each stream whose state is.
const HOMES_PER_STATE: u64 = 4;

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

/// In which environment a variable is. Its claim is never released (DESIGN 3), so this is never stale; that a variable
/// exists is not kept here, its environment's state says it.
#[derive(Clone)]
pub(crate) struct Homes(Cache<VariableId, EnvironmentId>);

impl Homes {
    pub fn new(states_max: u64) -> Self {
        Self(Cache::new(states_max.saturating_mul(HOMES_PER_STATE)))
    }

    pub fn get(&self, variable: VariableId) -> Option<EnvironmentId> {
        self.0.get(&variable)
    }

    pub fn put(&self, variable: VariableId, environment: EnvironmentId) {
        self.0.insert(variable, environment);
    }
}
