//! Reading on from a position, for as long as whoever asks may: one part after another, waiting where there is nothing yet.

use std::time::Duration;

use keynest_domain::OrganizationId;
use keynest_projections::{Reader, names};
use keynest_store::Position;
use tokio::time::{Instant, sleep, sleep_until};

use super::look::{Batch, look};
use super::seats::Seat;
use super::standing::Standing;
use super::wish::Wish;
use crate::{App, Problem};

/// How soon a waiting caller is refused once the token, the session or the role has ended.
pub(super) const CHECKED_EVERY: Duration = Duration::from_millis(500);
/// After news, so that a burst of them is one look: this much for each reader, so that all of them together look no more
/// often than a process can bear; and at least so much.
const PAUSE_PER_READER: Duration = Duration::from_millis(2);
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// What says whose events the caller may see, and where they stand.
pub(super) const MODELS: &[&str] = &[names::ORGANIZATIONS, names::AUDIT_LOG];

/// One reader of the feed.
pub struct Reading {
    pub app: App,
    pub reader: Reader,
    pub standing: Standing,
    pub wish: Wish,
    _seat: Seat,
    /// Whose events could be seen at the last look.
    organizations: Vec<OrganizationId>,
    has_looked: bool,
    /// A stream ends when the caller may see less than before. Who asks again and again is answered what is left.
    is_stream: bool,
    after: Position,
}

impl Reading {
    /// From where the wish begins.
    pub fn new(
        app: App,
        reader: Reader,
        standing: Standing,
        wish: Wish,
        seat: Seat,
        is_stream: bool,
    ) -> Self {
        let (after, organizations) = (wish.after, Vec::from_iter(wish.organization));
        let has_looked = false;
        Self {
            app,
            reader,
            standing,
            wish,
            _seat: seat,
            organizations,
            has_looked,
            is_stream,
            after,
        }
    }

    /// The place up to which everything was told.
    pub fn position(&self) -> String {
        self.app.position_token(self.after)
    }

    /// The next part: as soon as there is an event, when a look has come to its bound, when the process stops, or when time
    /// is up. Refused once the caller may not read on; a part may be all that there was before.
    pub async fn next(&mut self, patience: Duration) -> Result<Batch, Problem> {
        let deadline = Instant::now() + patience;
        let mut news = self.app.commands.store().watch_head();
        let mut head = self.head().await?;
        if !std::mem::replace(&mut self.has_looked, true) {
            self.app.wait_for(Some(head), MODELS).await;
        }
        loop {
            let batch = self.look().await?;
            let is_over = Instant::now() >= deadline || self.standing.draining.0.is_cancelled();
            if !batch.events.is_empty() || batch.is_cut || is_over {
                return Ok(batch);
            }
            let tick = deadline.min(Instant::now() + CHECKED_EVERY);
            let known = head;
            let newer = async { news.wait_for(|now| *now > known).await.map(|now| *now) };
            tokio::select! {
                now = newer => {
                    head = now.unwrap_or(known);
                    sleep(pause(&self.app)).await;
                    // In time or not: what is not visible yet is found at the next look.
                    self.app.visibility.wait_for(head, MODELS, CHECKED_EVERY).await;
                }
                () = sleep_until(tick) => {}
                () = self.standing.draining.0.cancelled() => return Ok(batch),
            }
            self.standing.check(&self.app).await?;
        }
    }

    async fn look(&mut self) -> Result<Batch, Problem> {
        let batch = look(&self.app, &self.reader, &self.wish, self.after).await?;
        self.after = batch.until;
        let before = std::mem::replace(&mut self.organizations, batch.organizations.clone());
        let has_lost = before.iter().any(|id| !batch.organizations.contains(id));
        if has_lost && (self.is_stream || self.wish.organization.is_some()) {
            return Err(
                Problem::new("role_too_weak").detail("Not all of this is yours to read any more.")
            );
        }
        Ok(batch)
    }

    async fn head(&self) -> Result<Position, Problem> {
        self.app.commands.store().head().await.map_err(|error| Problem::unavailable(&error))
    }
}

/// After news.
pub(super) fn pause(app: &App) -> Duration {
    let readers = u32::try_from(*app.feed_seats.taken().borrow()).unwrap_or(u32::MAX);
    PAUSE_MIN.max(PAUSE_PER_READER.saturating_mul(readers)).min(CHECKED_EVERY)
}
