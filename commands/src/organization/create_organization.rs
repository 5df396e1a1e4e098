//! A person makes a team.

use keynest_domain::organization::{self, Organization, Rejection, create_organization};
use keynest_domain::user::{self, User};
use keynest_domain::{Aggregate, Description, Event, OrganizationId, OrganizationName};

use crate::sealed_names::Names;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct CreateOrganization {
    pub name: OrganizationName,
    pub description: Option<Description>,
}

impl Commands {
    /// Makes an organization whose creator is its admin.
    pub async fn create_organization(
        &self,
        origin: &Origin,
        wish: CreateOrganization,
    ) -> Result<Executed<OrganizationId>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for CreateOrganization {
    type Outcome = OrganizationId;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let creator = unit.actor()?;
        // Read, so that it is checked: an account that is erased meanwhile makes nothing more.
        if unit.load::<User>(creator).await?.standing == user::Standing::Erased {
            return Err(user::Rejection::Erased.into());
        }
        let claim = claims::organization_name(unit.commands().keyring(), creator, &self.name);
        if unit.resolve(&claim).await?.is_some() {
            return Err(Rejection::NameTaken.into());
        }
        let id = OrganizationId::new(unit.commands().clock().integer_id());
        let description = self.description.as_ref().map(|text| text.as_str().to_owned());
        let names = Names { name: self.name.as_str().to_owned(), description };
        let sealed =
            unit.seal_names::<Organization>(id, id, "organization.created", &names).await?;
        let wish = create_organization::CreateOrganization {
            organization: id,
            name: sealed.name,
            description: sealed.description,
            creator,
            is_personal: false,
            at: unit.now(),
        };
        unit.stage::<Organization>(
            id,
            create_organization::decide(&Organization::default(), wish)?,
        );
        unit.claim(claim, Organization::stream(id));
        unit.file_under(id);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> OrganizationId {
        events.iter().find_map(created).expect("making an organization always appends its creation")
    }
}

fn created(event: &Event) -> Option<OrganizationId> {
    let Event::Organization(organization::Event::OrganizationCreated(it)) = event else {
        return None;
    };
    Some(it.organization)
}
