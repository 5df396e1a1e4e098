//! An admin renames or describes a team.

use keynest_domain::organization::{Organization, Rejection, update_organization};
use keynest_domain::{Aggregate, Description, Event, OrganizationId, OrganizationName, Permission};

use crate::sealed_names::Standing;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish; `None` leaves a part as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateOrganization {
    pub organization: OrganizationId,
    pub name: Option<OrganizationName>,
    pub description: Option<Option<Description>>,
}

impl Commands {
    /// Changes name or description.
    pub async fn update_organization(
        &self,
        origin: &Origin,
        wish: UpdateOrganization,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for UpdateOrganization {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::UpdateOrganization).await?;
        let state = unit.load::<Organization>(id).await?;
        let standing = Standing {
            sealed_by: state.sealed_by,
            name: state.name.as_ref(),
            description: state.description.as_ref(),
        };
        let before = unit.open_names::<Organization>(id, id, standing).await?;
        let description =
            self.description.as_ref().map(|text| text.as_ref().map(Description::as_str));
        let after = before.changed(self.name.as_ref().map(OrganizationName::as_str), description);
        if after == before {
            return Ok(());
        }
        if let Some(creator) = state.creator {
            let keyring = unit.commands().keyring();
            let held = claims::organization_name_text(keyring, creator, &before.name);
            let wanted = claims::organization_name_text(keyring, creator, &after.name);
            if held != wanted {
                if unit.resolve(&wanted).await?.is_some() {
                    return Err(Rejection::NameTaken.into());
                }
                unit.release(held);
                unit.claim(wanted, Organization::stream(id));
            }
        }
        let sealed =
            unit.seal_names::<Organization>(id, id, "organization.updated", &after).await?;
        let wish = update_organization::UpdateOrganization {
            name: sealed.name,
            description: sealed.description,
        };
        unit.stage::<Organization>(id, update_organization::decide(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
