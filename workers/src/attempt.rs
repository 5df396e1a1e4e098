//! One try of one event: a handler that panics or hangs fails that try, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use keynest_crypto::random;
use keynest_domain::Timestamp;
use keynest_store::{DecodeError, Recorded, decode};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::backoff::due_at;
use crate::reactor::{Delivery, Reactor, WorkError};
use crate::work::PutOff;

/// Longest error text that is kept, in characters.
const ERROR_CHARS_MAX: usize = 500;

/// Runs the handler in a task of its own, for at most so long.
pub(crate) async fn run(
    reactor: &Arc<dyn Reactor>,
    recorded: &Recorded,
    limit: Duration,
) -> Result<(), WorkError> {
    let event = decode(recorded).map_err(|error| unreadable(&error))?;
    let delivery = Delivery { recorded: recorded.clone(), event };
    let reactor = Arc::clone(reactor);
    let handling = tokio::spawn(async move { reactor.handle(&delivery).await });
    match timeout(limit, AbortOnDropHandle::new(handling)).await {
        Ok(Ok(handled)) => handled,
        // What a panic says may hold anything.
        Ok(Err(_)) => Err(WorkError::Retry("the handler panicked".to_owned())),
        Err(_) => Err(WorkError::Retry("the handler took too long".to_owned())),
    }
}

/// A newer binary may know the event; damaged bytes stay as they are.
fn unreadable(error: &DecodeError) -> WorkError {
    match error {
        DecodeError::Unknown { .. } => WorkError::Retry(error.to_string()),
        DecodeError::Malformed { .. } => WorkError::GiveUp(error.to_string()),
    }
}

/// What a failed try, counted from 1, means for the work table.
pub(crate) fn put_off(
    durable: &'static str,
    recorded: &Recorded,
    attempts: u32,
    error: &WorkError,
    now: Timestamp,
) -> PutOff {
    let [random, ..] = random::bits128().to_le_bytes();
    let due_at = match error {
        WorkError::Retry(_) => due_at(attempts, now, random),
        WorkError::GiveUp(_) => None,
    };
    tracing::warn!(durable, event.id = %recorded.event_id, attempts, is_dead = due_at.is_none(), %error, "work put off");
    metrics::counter!("keynest_work_put_off_total", "durable" => durable).increment(1);
    PutOff {
        position: recorded.position,
        event_id: recorded.event_id,
        event_name: Arc::clone(&recorded.name),
        attempts,
        due_at,
        error: error.to_string().chars().take(ERROR_CHARS_MAX).collect(),
        at: now,
    }
}
