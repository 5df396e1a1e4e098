//! Refused calls of one organization or of the public routes, appended without an expected revision.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, OrganizationId};

events! {
    /// A call was refused; repeats of one caller and code within a minute are counted, not listed.
    AccessRefused = "refusals.access_refused" v 1,
}

/// The code of a call that was let through, but that an organization's address rules would refuse if they were enforced.
pub const WOULD_REFUSE: &str = "address_would_be_refused";

/// See [`Event::AccessRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessRefused {
    /// Method and route pattern: `PATCH /api/core/variables/{id}/`.
    pub route: String,
    /// The id in the path, if there is one.
    pub object: Option<String>,
    /// The problem's stable code.
    pub code: String,
    /// How many calls this event stands for.
    pub count: u32,
}

/// Where a refusal is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Under the organization whose object was asked for.
    Organization(OrganizationId),
    /// No organization is known.
    Public,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(f),
            Self::Public => f.write_str("public"),
        }
    }
}

/// Nothing: no rule reads this stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusals;

impl Aggregate for Refusals {
    type Id = Scope;
    type Event = Event;
    const CATEGORY: &'static str = "refusals";

    fn evolve(self, _: &Event) -> Self {
        self
    }
}
