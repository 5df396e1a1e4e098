//! One look at what there is behind a position. Whoever may look is an auditor of all that is found (`Queries::feed`).

use keynest_domain::OrganizationId;
use keynest_projections::Reader;
use keynest_store::{Position, Recorded};

use super::telling::Telling;
use super::wish::Wish;
use crate::{App, Problem};

/// Events that are read from the log at once.
const READ_AT_ONCE: usize = 64;

/// An event as it is answered.
pub struct Told {
    /// Its place, as callers know it.
    pub position: String,
    /// A CloudEvent in JSON, on one line.
    pub json: String,
}

/// Events in the order of the log.
pub struct Batch {
    pub events: Vec<Told>,
    /// Go on from here.
    pub until: Position,
    /// There may be more at once.
    pub is_cut: bool,
    /// Whose events the caller may see now.
    pub organizations: Vec<OrganizationId>,
    bytes: usize,
}

/// What there is behind a position of what is asked for, as far as one look goes.
pub async fn look(
    app: &App,
    reader: &Reader,
    wish: &Wish,
    after: Position,
) -> Result<Batch, Problem> {
    let limits = &app.settings.feed;
    let _turn = app.feed_seats.turn().await;
    let part = app.queries.feed(reader, wish.organization, after, limits.scan_max).await?;
    let organizations = part.organizations;
    let mut batch = Batch { events: vec![], until: after, is_cut: true, organizations, bytes: 0 };
    for positions in part.positions.chunks(READ_AT_ONCE) {
        let found = app.commands.store().read_these(positions).await;
        let found = found.map_err(|error| Problem::unavailable(&error))?;
        if found.is_empty() {
            // Rows of a log that is not this one, until they are projected again.
            return Err(Problem::new("read_model_behind"));
        }
        // Nothing of an event that is not asked for.
        let taken = found.iter().filter(|it| wish.filter.takes(it));
        let telling = Telling::of(app, taken).await?;
        for recorded in &found {
            if batch.events.len() >= wish.limit || batch.bytes >= limits.page_bytes_max {
                return Ok(batch);
            }
            batch.take(app, wish, recorded, &telling)?;
        }
        if found.len() < positions.len() {
            return Ok(batch);
        }
    }
    batch.is_cut = part.positions.len() >= limits.scan_max as usize;
    if !batch.is_cut {
        batch.until = part.until;
    }
    Ok(batch)
}

impl Batch {
    fn take(
        &mut self,
        app: &App,
        wish: &Wish,
        recorded: &Recorded,
        telling: &Telling<'_>,
    ) -> Result<(), Problem> {
        if wish.filter.takes(recorded) {
            let position = app.position_token(recorded.position);
            let json = telling.tell(recorded, &position)?.to_string();
            self.bytes += json.len();
            self.events.push(Told { position, json });
        }
        self.until = recorded.position;
        Ok(())
    }
}
