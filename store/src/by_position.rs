//! Reading what a position or an earlier append stands for.

use std::collections::BTreeSet;

use keynest_domain::Timestamp;

use crate::event_store::EventStore;
use crate::port::*;

impl EventStore {
    /// The event at one position.
    pub async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        Ok(self
            .read_all_from(position, 1)
            .await?
            .into_iter()
            .next()
            .filter(|it| it.position == position))
    }

    /// The events at these positions, in order; none further once there are [`READ_BYTES_MAX`] bytes, and at most
    /// [`READ_EVENTS_MAX`].
    pub async fn read_these(&self, positions: &[Position]) -> Result<Vec<Recorded>, ReadError> {
        let positions = &positions[..positions.len().min(READ_EVENTS_MAX)];
        match self {
            Self::Postgres(postgres) => postgres.read_these(positions).await,
            Self::Kurrent(kurrent) => kurrent.read_these(positions).await,
            Self::Memory(_) => {
                let mut events = Vec::with_capacity(positions.len());
                let mut bytes = 0;
                for position in BTreeSet::from_iter(positions) {
                    if bytes >= READ_BYTES_MAX {
                        break;
                    }
                    if let Some(event) = self.read_at(*position).await? {
                        bytes += event.data.len();
                        events.push(event);
                    }
                }
                Ok(events)
            }
        }
    }

    /// The last position before a moment: times never run against positions.
    pub async fn position_before(&self, at: Timestamp) -> Result<Position, ReadError> {
        if let Self::Kurrent(kurrent) = self {
            return kurrent.position_before(at).await;
        }
        let (mut below, mut above) = (0, self.head().await?.to_stored() + 1);
        while below + 1 < above {
            let middle = below + (above - below) / 2;
            let found = self.read_at(Position::from_stored(middle)).await?;
            match found.is_some_and(|it| it.recorded_at < at) {
                true => below = middle,
                false => above = middle,
            }
        }
        Ok(Position::from_stored(below))
    }

    /// The events of one append.
    pub async fn read_appended(&self, appended: &Appended) -> Result<Vec<Recorded>, ReadError> {
        let mut events = self.read_all_from(appended.first, APPEND_EVENTS_MAX).await?;
        while let Some(last) = events.last()
            && last.position < appended.position
        {
            let page = self.read_all(last.position, APPEND_EVENTS_MAX).await?;
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        events.retain(|event| event.position <= appended.position);
        Ok(events)
    }
}
