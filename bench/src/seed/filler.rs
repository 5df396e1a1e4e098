//! Readings of values: what most of a log is made of.

use std::sync::Arc;

use keynest_cli::product::Product;
use keynest_domain::Event;
use keynest_domain::access::{Access, VariablesRead};
use keynest_store::Expected;

use super::Team;
use super::people::Parts;
use super::workers::{self, Draft, Maker};

/// Events of one append.
const EVENTS_AT_ONCE: u64 = 500;
/// Variables of one reading.
const VARIABLES: usize = 2;

struct Filler {
    parts: Parts,
    teams: Arc<[Team]>,
    events: u64,
}

/// Until the log has so many events.
pub async fn seed(product: &Product, events: u64, teams: &[Team]) -> anyhow::Result<()> {
    let there = product.store.head().await?.to_stored();
    let missing = events.saturating_sub(there);
    if missing == 0 || teams.is_empty() {
        return Ok(());
    }
    let filler = Filler { parts: product.into(), teams: teams.into(), events: missing };
    let appends = usize::try_from(missing.div_ceil(EVENTS_AT_ONCE))?;
    workers::all(filler, appends).await.map(drop)
}

impl Maker for Filler {
    type Made = ();

    async fn make(&self, n: usize) -> anyhow::Result<()> {
        let team = &self.teams[n % self.teams.len()];
        let before = n as u64 * EVENTS_AT_ONCE;
        let count = usize::try_from(EVENTS_AT_ONCE.min(self.events - before))?;
        let variables: Vec<_> = team.variables.iter().copied().take(VARIABLES).collect();
        let read = VariablesRead { organization: team.organization, variables };
        let events: Vec<Event> = vec![read.into(); count];
        let mut draft = Draft::new(&self.parts, Some(team.admin), Some(team.organization));
        draft.add::<Access>(team.organization, Expected::Any, &events);
        draft.append(&self.parts.store).await
    }
}
