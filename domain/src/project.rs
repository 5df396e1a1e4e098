//! A project: environments of one organization under one name.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, OrganizationId, ProjectId, Sealed, UserId};

events! {
    /// A project was made in an organization that it never leaves.
    ProjectCreated = "project.created" v 1,
    /// Name and description from now on.
    ProjectUpdated = "project.updated" v 1,
    /// The project, and with it all its environments, is unreachable for ever.
    ProjectDeleted = "project.deleted" v 1,
}

/// See [`Event::ProjectCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProjectCreated {
    pub project: ProjectId,
    pub organization: OrganizationId,
    pub name: Sealed,
    pub description: Option<Sealed>,
    pub creator: UserId,
}

/// See [`Event::ProjectUpdated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProjectUpdated {
    pub name: Sealed,
    pub description: Option<Sealed>,
    /// Whether the name differs from the one before; a mail goes out only then.
    pub is_renamed: bool,
}

/// See [`Event::ProjectDeleted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectDeleted {}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Project {
    pub id: Option<ProjectId>,
    pub organization: Option<OrganizationId>,
    pub name: Option<Sealed>,
    pub description: Option<Sealed>,
    /// The event that sealed name and description, a part of their context.
    pub sealed_by: Option<&'static str>,
    pub is_deleted: bool,
}

impl Aggregate for Project {
    type Id = ProjectId;
    type Event = Event;
    const CATEGORY: &'static str = "project";

    fn evolve(mut self, event: &Event) -> Self {
        let event_name = event.name();
        match event {
            Event::ProjectCreated(it) => {
                self.id = Some(it.project);
                self.organization = Some(it.organization);
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.sealed_by = Some(event_name);
            }
            Event::ProjectUpdated(it) => {
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.sealed_by = Some(event_name);
            }
            Event::ProjectDeleted(_) => self.is_deleted = true,
        }
        self
    }
}
