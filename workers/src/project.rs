//! Notices about projects, to the other members.

use keynest_crypto::Subject;
use keynest_domain::project::{Event, Project};
use keynest_domain::{Aggregate, ProjectId};
use minijinja::{Value, context};

use crate::letter::{Kind, Letter};
use crate::mailer::Mailer;
use crate::organization::to_each;
use crate::people::{id_of, later};
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_project(
        &self,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Vec<Letter>, WorkError> {
        let kind = match event {
            Event::ProjectCreated(_) => Kind::ProjectCreated,
            Event::ProjectUpdated(it) if it.is_renamed => Kind::ProjectRenamed,
            Event::ProjectUpdated(_) => return Ok(Vec::new()),
            Event::ProjectDeleted(_) => Kind::ProjectDeleted,
        };
        let id = id_of::<ProjectId>(&delivery.recorded)?;
        let state = self.commands.read::<Project>(id).await.map_err(later)?;
        let old = match kind == Kind::ProjectRenamed {
            true => {
                self.project_name(id, &self.before::<Project>(&delivery.recorded).await?).await?
            }
            false => None,
        };
        let Some((recipients, facts)) = self.project_notice(delivery, id, &state).await? else {
            return Ok(Vec::new());
        };
        Ok(to_each(kind, recipients, &context! { old_project => old, ..facts }))
    }

    /// Who hears of something in a project, and what all such letters say; `None` when nobody can be told.
    pub(crate) async fn project_notice(
        &self,
        delivery: &Delivery,
        id: ProjectId,
        state: &Project,
    ) -> Result<Option<(Vec<crate::letter::Recipient>, Value)>, WorkError> {
        let Some(owner) = state.organization else { return Ok(None) };
        let Some((organization, organization_name)) = self.organization(owner).await? else {
            return Ok(None);
        };
        let Some(name) = self.project_name(id, state).await? else { return Ok(None) };
        let actor = delivery.recorded.metadata.actor;
        let facts = context! {
            organization => organization_name,
            project => name,
            actor => self.actor_name(delivery).await?,
            ..self.circumstances(delivery).await
        };
        Ok(Some((self.others(&organization, actor).await?, facts)))
    }

    async fn project_name(
        &self,
        id: ProjectId,
        state: &Project,
    ) -> Result<Option<String>, WorkError> {
        let Some(organization) = state.organization else { return Ok(None) };
        let subject = Subject::Organization(organization);
        self.opened(subject, &Project::stream(id), state.sealed_by, "name", state.name.as_ref())
            .await
    }
}
