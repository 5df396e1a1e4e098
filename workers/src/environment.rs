//! Notices about environments and imports, to the other members.

use keynest_crypto::Subject;
use keynest_domain::environment::{Environment, Event};
use keynest_domain::project::Project;
use keynest_domain::{Aggregate, EnvironmentId};
use minijinja::context;

use crate::letter::{Kind, Letter};
use crate::mailer::Mailer;
use crate::organization::to_each;
use crate::people::{id_of, later};
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_environment(
        &self,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Vec<Letter>, WorkError> {
        let (kind, created, changed) = match event {
            Event::EnvironmentCreated(_) => (Kind::EnvironmentCreated, 0, 0),
            Event::VariablesImported(it) => (Kind::VariablesImported, it.created, it.changed),
            Event::EnvironmentUpdated(_)
            | Event::EnvironmentDeleted(_)
            | Event::VariableCreated(_)
            | Event::VariableChanged(_)
            | Event::VariableRenamed(_)
            | Event::VariableDeleted(_) => return Ok(Vec::new()),
        };
        let id = id_of::<EnvironmentId>(&delivery.recorded)?;
        let state = self.commands.read::<Environment>(id).await.map_err(later)?;
        let (Some(organization), Some(project)) = (state.organization, state.project) else {
            return Ok(Vec::new());
        };
        let subject = Subject::Organization(organization);
        let stream = Environment::stream(id);
        let name =
            self.opened(subject, &stream, state.sealed_by, "name", state.name.as_ref()).await?;
        let parent = self.commands.read::<Project>(project).await.map_err(later)?;
        let notice = self.project_notice(delivery, project, &parent).await?;
        let (Some(name), Some((recipients, facts))) = (name, notice) else { return Ok(Vec::new()) };
        let environment_type = state.environment_type.name();
        let facts = context! { environment => name, environment_type, created, changed, ..facts };
        Ok(to_each(kind, recipients, &facts))
    }
}
