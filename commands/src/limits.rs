//! How often callers may do what costs others something: what is configured, and what administrators changed.

use keynest_domain::limits::{self, Instance, Limits, Policy, Quota, Quotas};
use keynest_domain::organization::Organization;
use keynest_domain::{Event, OrganizationId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish of an administrator of the instance; a quota of `None` goes back to what is configured.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeLimits {
    /// Whose; everybody's if `None`.
    pub organization: Option<OrganizationId>,
    pub changes: Vec<(Policy, Option<Quota>)>,
}

impl Commands {
    /// Changes limits. Every process follows at once.
    pub async fn change_limits(
        &self,
        origin: &Origin,
        wish: ChangeLimits,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }

    /// What is configured.
    pub fn quotas(&self) -> &Quotas {
        &self.settings().quotas
    }
}

impl UseCase for ChangeLimits {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_administrator().await?;
        if let Some(id) = self.organization {
            if !unit.load::<Organization>(id).await?.is_alive() {
                return Err(CommandError::Absent("organization"));
            }
            unit.file_under(id);
        }
        let state = unit.load::<Limits>(Instance).await?;
        unit.stage::<Limits>(Instance, limits::change(&state, self.organization, &self.changes)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl Unit<'_> {
    /// How many mails of one kind strangers may cause to one address.
    pub(crate) async fn mail_quotas(&mut self) -> Result<[Quota; 2], CommandError> {
        Ok([
            self.quota(Policy::MailsHourly, None).await?,
            self.quota(Policy::MailsDaily, None).await?,
        ])
    }

    /// The quota that holds now; the append checks that it still does.
    pub(crate) async fn quota(
        &mut self,
        policy: Policy,
        organization: Option<OrganizationId>,
    ) -> Result<Quota, CommandError> {
        let state = self.load::<Limits>(Instance).await?;
        Ok(state.quota(policy, organization, self.commands().quotas()))
    }
}
