//! Code with effects that follows the feed. Never replayed; must bear being run twice for one event.

use async_trait::async_trait;
use keynest_domain::Event;
use keynest_store::Recorded;

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It may go better later.
    #[error("handle later: {0}")]
    Retry(String),
    /// It never will: a dead letter at once.
    #[error("give up: {0}")]
    GiveUp(String),
}

/// An event with its place in the log.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Delivery {
    pub recorded: Recorded,
    pub event: Event,
}

/// One consumer of the feed.
#[async_trait]
pub trait Reactor: Send + Sync + 'static {
    /// The name of its checkpoint, for ever.
    fn durable(&self) -> &'static str;

    /// Whether an event of this stored name is for it; others are passed by, known or unknown.
    fn wants(&self, event_name: &str) -> bool;

    /// Does the effect. The error's text names no person and no secret.
    async fn handle(&self, delivery: &Delivery) -> Result<(), WorkError>;
}
