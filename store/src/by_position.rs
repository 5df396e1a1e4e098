//! Reading what a position or an earlier append stands for.

use crate::event_store::EventStore;
use crate::port::*;

impl EventStore {
    /// The event at one position.
    pub async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        Ok(self
            .read_all(before(position), 1)
            .await?
            .into_iter()
            .next()
            .filter(|it| it.position == position))
    }

    /// The events of one append.
    pub async fn read_appended(&self, appended: &Appended) -> Result<Vec<Recorded>, ReadError> {
        let mut events = Vec::new();
        let mut after = before(appended.first);
        while after < appended.position {
            let page = self.read_all(after, APPEND_EVENTS_MAX).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            events.extend(page.into_iter().take_while(|event| event.position <= appended.position));
        }
        Ok(events)
    }
}

/// On every backend so far the positions are dense; a backend whose are not reads from the position itself.
fn before(position: Position) -> Position {
    Position::from_stored(position.to_stored().saturating_sub(1))
}
