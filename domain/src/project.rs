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

/// What a project's rules refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A project never leaves its organization.
    #[error("a project cannot be moved to another organization")]
    ParentIsFixed,
}

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

impl Project {
    /// Whether it was created and not deleted.
    pub fn is_alive(&self) -> bool {
        self.id.is_some() && !self.is_deleted
    }
}

/// Refuses a parent that is not the one it has; `None` asks for nothing.
pub fn require_parent(state: &Project, wanted: Option<OrganizationId>) -> Result<(), Rejection> {
    match wanted {
        Some(_) if wanted != state.organization => Err(Rejection::ParentIsFixed),
        Some(_) | None => Ok(()),
    }
}

/// Makes a project; names need not be unique.
pub fn create(state: &Project, wish: ProjectCreated) -> Result<Vec<Event>, Rejection> {
    Ok(if state.id.is_none() { vec![wish.into()] } else { Vec::new() })
}

/// Name and description from now on; whoever can read the sealed fields knows that they differ.
pub fn update(state: &Project, wish: ProjectUpdated) -> Result<Vec<Event>, Rejection> {
    Ok(if state.is_alive() { vec![wish.into()] } else { Vec::new() })
}

/// Ends a project, and by it everything inside.
pub fn delete(state: &Project) -> Result<Vec<Event>, Rejection> {
    Ok(if state.is_alive() { vec![ProjectDeleted {}.into()] } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    const ACME: OrganizationId = OrganizationId::new(1);

    fn sealed(text: &str) -> Sealed {
        Sealed::from_bytes(text.as_bytes().to_vec())
    }

    fn created() -> ProjectCreated {
        ProjectCreated {
            project: ProjectId::new(7),
            organization: ACME,
            name: sealed("web"),
            description: None,
            creator: UserId::new(1),
        }
    }

    fn updated() -> ProjectUpdated {
        ProjectUpdated { name: sealed("site"), description: None, is_renamed: true }
    }

    #[test]
    fn a_project_lives_from_its_creation_to_its_deletion() {
        given([]).when(|state| create(state, created())).then([created()]);
        given([created().into()]).when(|state| create(state, created())).then_nothing();
        given([created().into()]).when(|state| update(state, updated())).then([updated()]);
        given([created().into()]).when(delete).then([ProjectDeleted {}]);
    }

    #[test]
    fn nothing_happens_to_a_deleted_project() {
        let events = || [created().into(), ProjectDeleted {}.into()];
        given(events()).when(|state| update(state, updated())).then_nothing();
        given(events()).when(delete).then_nothing();
        given(events()).when(|state| create(state, created())).then_nothing();
    }

    #[test]
    fn a_project_never_leaves_its_organization() {
        let check = |wanted| {
            move |state: &Project| require_parent(state, wanted).map(|()| Vec::<Event>::new())
        };
        given([created().into()]).when(check(None)).then_nothing();
        given([created().into()]).when(check(Some(ACME))).then_nothing();
        given([created().into()])
            .when(check(Some(OrganizationId::new(2))))
            .then_rejected(Rejection::ParentIsFixed);
    }
}
