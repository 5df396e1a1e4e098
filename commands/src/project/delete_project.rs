//! An admin ends a project.

use keynest_domain::project::{self, Project};
use keynest_domain::{Event, Permission, ProjectId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DeleteProject {
    pub project: ProjectId,
}

impl Commands {
    /// Ends a project and all that is in it.
    pub async fn delete_project(
        &self,
        origin: &Origin,
        wish: DeleteProject,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for DeleteProject {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let state = unit.authorize_project(self.project, Permission::DeleteProject).await?;
        unit.stage::<Project>(self.project, project::delete(&state)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
