//! An admin ends a team.

use keynest_domain::organization::{Organization, delete_organization};
use keynest_domain::{Event, OrganizationId, Permission};

use crate::sealed_names::Standing;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DeleteOrganization {
    pub organization: OrganizationId,
}

impl Commands {
    /// Ends an organization; its name is free again.
    pub async fn delete_organization(
        &self,
        origin: &Origin,
        wish: DeleteOrganization,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for DeleteOrganization {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::DeleteOrganization).await?;
        unit.require_step_up(id).await?;
        let state = unit.load::<Organization>(id).await?;
        unit.release_organization_name(id, &state).await?;
        unit.stage::<Organization>(id, delete_organization::decide(&state)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl Unit<'_> {
    /// Frees the name of an organization that ends.
    pub(crate) async fn release_organization_name(
        &mut self,
        id: OrganizationId,
        state: &Organization,
    ) -> Result<(), CommandError> {
        let standing =
            Standing { sealed_by: state.sealed_by, name: state.name.as_ref(), description: None };
        let names = self.open_names::<Organization>(id, id, standing).await?;
        if let Some(creator) = state.creator {
            let keyring = self.commands().keyring();
            self.release(claims::organization_name_text(keyring, creator, &names.name));
        }
        Ok(())
    }
}
