//! What every aggregate has: a stream category, a state folded from events, and events with stored names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A consistency border: state rebuilt from one stream.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// What identifies one instance, the part of the stream name behind the dash.
    type Id: Copy + fmt::Display + Send + Sync;
    /// The facts of its stream.
    type Event: Clone + Send + Sync + Into<crate::Event> + TryFrom<crate::Event>;
    /// The part of the stream name before the dash; itself without a dash.
    const CATEGORY: &'static str;

    /// Folds one event into the state. Never fails, never decides.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// The stream of one instance.
    fn stream(id: Self::Id) -> StreamName {
        StreamName::new(Self::CATEGORY, id)
    }
}

/// The name of a stream: category, dash, id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(String);

impl StreamName {
    /// Joins a category and an id.
    pub fn new(category: &str, id: impl fmt::Display) -> Self {
        Self(format!("{category}-{id}"))
    }

    /// A name as it was stored.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dash.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(category, _)| category)
    }

    /// The part after the first dash.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
