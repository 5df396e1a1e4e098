//! Who saw which values: one high-volume stream per organization, appended without an expected revision.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, EnvironmentId, FileFormat, OrganizationId, ProjectId, VariableId};

events! {
    /// Values were shown in clear.
    VariablesRead = "access.variables_read" v 1,
    /// An environment's values left as a file.
    EnvironmentExported = "access.environment_exported" v 1,
}

/// See [`Event::VariablesRead`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariablesRead {
    pub organization: OrganizationId,
    pub variables: Vec<VariableId>,
}

/// See [`Event::EnvironmentExported`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EnvironmentExported {
    pub organization: OrganizationId,
    pub project: ProjectId,
    pub environment: EnvironmentId,
    pub format: FileFormat,
    pub variables: u32,
}

/// Nothing: no rule reads this stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access;

impl Aggregate for Access {
    type Id = OrganizationId;
    type Event = Event;
    const CATEGORY: &'static str = "access";

    fn evolve(self, _: &Event) -> Self {
        self
    }
}
