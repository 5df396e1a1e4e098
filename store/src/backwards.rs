//! Reading the log from a position on, itself included, and backwards.

use crate::event_store::EventStore;
use crate::port::*;

impl EventStore {
    /// Events at a position and behind it, like [`EventStore::read_all`] behind one.
    pub async fn read_all_from(
        &self,
        from: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        match self {
            Self::Memory(_) | Self::Postgres(_) => self.read_all(before(from), limit).await,
            Self::Kurrent(kurrent) => kurrent.read_all_from(from, limit.min(READ_EVENTS_MAX)).await,
        }
    }

    /// The last `limit` events in front of a position, the latest first; empty only at the start of the log.
    pub async fn read_all_before(
        &self,
        until: Position,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let limit = limit.min(READ_EVENTS_MAX);
        if let Self::Kurrent(kurrent) = self {
            return kurrent.read_all_before(until, limit).await;
        }
        let end = before(until).min(self.head().await?);
        let mut after =
            Position::from_stored(end.to_stored().saturating_sub(limit.try_into().unwrap_or(0)));
        let mut events = Vec::new();
        while after < end {
            let page = self.read_all(after, limit).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            events.extend(page.into_iter().take_while(|event| event.position <= end));
        }
        events.reverse();
        Ok(events)
    }
}

/// Where positions are dense: a backend whose are not has its own way.
fn before(position: Position) -> Position {
    Position::from_stored(position.to_stored().saturating_sub(1))
}
