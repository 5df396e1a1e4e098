//! One look at what there is behind a position. Whoever may look is an auditor of all that is found (`Queries::feed`), so names
//! are opened; see `sealed_for_auditors`.

use keynest_crypto::OpeningKeys;
use keynest_domain::OrganizationId;
use keynest_projections::Reader;
use keynest_store::{Position, Recorded, SealedField, cloud_event, sealed_for_auditors};
use serde_json::Value;

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
        let sealed: Vec<_> = found.iter().map(|it| taken(wish, it)).collect();
        let values = sealed.iter().flatten().map(|it| &it.sealed);
        let keys = app.commands.keyring().opening_keys(values).await;
        let keys = keys.map_err(|error| Problem::unavailable(&error))?;
        for (recorded, sealed) in found.iter().zip(&sealed) {
            if batch.events.len() >= wish.limit || batch.bytes >= limits.page_bytes_max {
                return Ok(batch);
            }
            batch.take(app, wish, recorded, &Names { keys: &keys, sealed })?;
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

/// Nothing of an event that is not asked for.
fn taken(wish: &Wish, recorded: &Recorded) -> Vec<SealedField> {
    if wish.filter.takes(recorded) { sealed_for_auditors(recorded) } else { vec![] }
}

/// What is opened of an event; what was erased stays null.
struct Names<'a> {
    keys: &'a OpeningKeys,
    sealed: &'a [SealedField],
}

impl Names<'_> {
    fn write(&self, told: &mut Value) -> Result<(), Problem> {
        for SealedField { field, context, sealed } in self.sealed {
            let opened = self.keys.open_text(context, sealed);
            let opened = opened.map_err(|error| Problem::unavailable(&error))?;
            told["data"][*field] = opened.map(|text| text.to_string()).into();
        }
        Ok(())
    }
}

impl Batch {
    fn take(
        &mut self,
        app: &App,
        wish: &Wish,
        recorded: &Recorded,
        names: &Names<'_>,
    ) -> Result<(), Problem> {
        if wish.filter.takes(recorded) {
            let position = app.position_token(recorded.position);
            let told = cloud_event(recorded, &app.settings.public_url, position.as_str());
            let mut told =
                told.map_err(|error| Problem::new("newer_than_this_binary").caused_by(&error))?;
            names.write(&mut told)?;
            let json = told.to_string();
            self.bytes += json.len();
            self.events.push(Told { position, json });
        }
        self.until = recorded.position;
        Ok(())
    }
}
