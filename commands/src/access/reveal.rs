//! The record that goes before every clear value: appended first, opened after (DESIGN 6).

use keynest_domain::access::{Access, EnvironmentExported, Event, VariablesRead};
use keynest_domain::organization::Organization;
use keynest_domain::{Aggregate, EnvironmentId, FileFormat, OrganizationId, ProjectId, VariableId};
use keynest_store::{AppendError, Conflict, Position, Revision};

use crate::{CommandError, Commands, Origin, Unit};

/// Values of one organization that a query found, sealed, for somebody who may read them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Read {
    pub organization: OrganizationId,
    /// The organization's revision that the query's rows and role belong to.
    pub revision: Revision,
    pub variables: Vec<VariableId>,
}

/// An environment's values about to leave as a file.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Export {
    pub organization: OrganizationId,
    pub revision: Revision,
    pub project: ProjectId,
    pub environment: EnvironmentId,
    pub format: FileFormat,
    pub variables: u32,
}

/// Whether values may be opened now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "without a record no value may be opened"]
pub enum Revealed {
    /// It is in the log. `None` when there was nothing to record.
    Recorded(Option<Position>),
    /// The organization has changed since the query: ask again, the role may be gone.
    Stale {
        /// How far the organization has come.
        revision: Revision,
    },
}

impl Commands {
    /// Records that values are about to be shown.
    pub async fn record_reads(
        &self,
        origin: &Origin,
        reads: &[Read],
    ) -> Result<Revealed, CommandError> {
        let mut last = None;
        for read in reads.iter().filter(|read| !read.variables.is_empty()) {
            let event = VariablesRead {
                organization: read.organization,
                variables: read.variables.clone(),
            };
            match self.record(origin, read.organization, read.revision, event.into()).await? {
                Revealed::Recorded(position) => last = last.max(position),
                stale @ Revealed::Stale { .. } => return Ok(stale),
            }
        }
        Ok(Revealed::Recorded(last))
    }

    /// Records that values are about to leave as a file.
    pub async fn record_export(
        &self,
        origin: &Origin,
        export: &Export,
    ) -> Result<Revealed, CommandError> {
        let &Export { organization, revision, project, environment, format, variables } = export;
        Unit::new(self, origin, true).require_step_up(organization).await?;
        let event = EnvironmentExported { organization, project, environment, format, variables };
        self.record(origin, organization, revision, event.into()).await
    }

    /// Always under a command id of its own: the request's belongs to the change that it asks for.
    async fn record(
        &self,
        origin: &Origin,
        organization: OrganizationId,
        revision: Revision,
        event: Event,
    ) -> Result<Revealed, CommandError> {
        self.require_policy(origin, organization).await?;
        let mut unit = Unit::new(self, origin, true);
        unit.file_under(organization);
        unit.check(Organization::stream(organization), revision);
        unit.stage_any::<Access>(organization, event);
        let append = unit.to_append(self.clock().command_id()).await?;
        match self.store().append(append).await {
            Ok(appended) => Ok(Revealed::Recorded(Some(appended.position))),
            Err(AppendError::Conflict(Conflict::Revision { actual, .. })) => {
                Ok(Revealed::Stale { revision: actual })
            }
            Err(AppendError::Busy) => Err(CommandError::Busy("append queue")),
            Err(error) => Err(CommandError::Append(error)),
        }
    }
}
