//! One call's visit to organizations: both sides write on the same slip what an organization has to say to it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::OrganizationId;

/// Counts a visit of an organization, or says in how many seconds it is worth trying again.
pub type Meter = Arc<dyn Fn(OrganizationId) -> Result<(), u32> + Send + Sync>;

/// Clones share the slip.
#[derive(Clone, Default)]
pub struct Visit(Arc<Slip>);

#[derive(Default)]
struct Slip {
    meter: Option<Meter>,
    entered: Mutex<BTreeSet<OrganizationId>>,
    dry_runs: Mutex<BTreeSet<OrganizationId>>,
}

impl Visit {
    /// A call that organizations count.
    pub fn metered(meter: Meter) -> Self {
        Self(Arc::new(Slip { meter: Some(meter), ..Slip::default() }))
    }

    /// Counts the call once for each organization that it reaches.
    pub fn enter(&self, organization: OrganizationId) -> Result<(), u32> {
        let Some(meter) = &self.0.meter else { return Ok(()) };
        let mut entered = self.0.entered.lock().unwrap_or_else(PoisonError::into_inner);
        if !entered.contains(&organization) {
            meter(organization)?;
            entered.insert(organization);
        }
        Ok(())
    }

    /// This organization's address rules would refuse, if they were enforced.
    pub fn note_dry_run(&self, organization: OrganizationId) {
        self.0.dry_runs.lock().unwrap_or_else(PoisonError::into_inner).insert(organization);
    }

    /// What was noted, once.
    pub fn take_dry_runs(&self) -> BTreeSet<OrganizationId> {
        std::mem::take(&mut *self.0.dry_runs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Visit(..)")
    }
}
