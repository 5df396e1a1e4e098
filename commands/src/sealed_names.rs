//! Names and descriptions of organizations, projects and environments: sealed together, under the organization's key.

use keynest_crypto::{Context, Subject};
use keynest_domain::{Aggregate, OrganizationId, Sealed};

use crate::{CommandError, Unit};

/// A name and a description in clear. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub name: String,
    pub description: Option<String>,
}

/// A name and a description as an event holds them.
pub(crate) struct SealedNames {
    pub name: Sealed,
    pub description: Option<Sealed>,
}

/// Where a name and a description stand in an aggregate's state.
pub(crate) struct Standing<'a> {
    pub sealed_by: Option<&'static str>,
    pub name: Option<&'a Sealed>,
    pub description: Option<&'a Sealed>,
}

impl Unit<'_> {
    /// Seals both for one event.
    pub(crate) async fn seal_names<A: Aggregate>(
        &self,
        organization: OrganizationId,
        id: A::Id,
        event: &'static str,
        names: &Names,
    ) -> Result<SealedNames, CommandError> {
        let subject = Subject::Organization(organization);
        let name = self.seal::<A>(subject, id, event, "name", &names.name).await?;
        let description = match &names.description {
            None => None,
            Some(text) => Some(self.seal::<A>(subject, id, event, "description", text).await?),
        };
        Ok(SealedNames { name, description })
    }

    /// Reads both as they are now. A text whose key is destroyed reads empty.
    pub(crate) async fn open_names<A: Aggregate>(
        &self,
        organization: OrganizationId,
        id: A::Id,
        standing: Standing<'_>,
    ) -> Result<Names, CommandError> {
        let event = standing.sealed_by.unwrap_or_default();
        let name = self.open_text::<A>(organization, id, event, "name", standing.name).await?;
        let description = self
            .open_text::<A>(organization, id, event, "description", standing.description)
            .await?;
        Ok(Names { name: name.unwrap_or_default(), description })
    }

    async fn open_text<A: Aggregate>(
        &self,
        organization: OrganizationId,
        id: A::Id,
        event: &'static str,
        field: &'static str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<String>, CommandError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let context =
            Context::new(Subject::Organization(organization), A::stream(id), event, field);
        let text = self.commands().keyring().open_text(&context, sealed).await?;
        Ok(text.map(|text| text.as_str().to_owned()))
    }
}

impl Names {
    /// What they are after a change; `None` leaves a part as it is.
    pub(crate) fn changed(&self, name: Option<&str>, description: Option<Option<&str>>) -> Self {
        Self {
            name: name.map_or_else(|| self.name.clone(), str::to_owned),
            description: match description {
                None => self.description.clone(),
                Some(text) => text.map(str::to_owned),
            },
        }
    }
}
