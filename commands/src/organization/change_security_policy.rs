//! An admin says what the organization asks of its members' sign-ins.

use keynest_domain::organization::change_security_policy as rule;
use keynest_domain::organization::{Organization, SecurityPolicy};
use keynest_domain::{Event, OrganizationId, Permission};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish; what is not said stays.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeSecurityPolicy {
    pub organization: OrganizationId,
    pub require_second_factor: Option<bool>,
    pub step_up: Option<bool>,
}

impl Commands {
    /// Changes it; refused to an admin who would be locked out.
    pub async fn change_security_policy(
        &self,
        origin: &Origin,
        wish: ChangeSecurityPolicy,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for ChangeSecurityPolicy {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::UpdateOrganization).await?;
        unit.require_fresh_sign_in().await?;
        let state = unit.load::<Organization>(id).await?;
        let old = state.policy;
        let policy = SecurityPolicy {
            require_second_factor: self.require_second_factor.unwrap_or(old.require_second_factor),
            step_up: self.step_up.unwrap_or(old.step_up),
        };
        let is_satisfied = unit.has_second_factor().await?;
        let wish = rule::ChangeSecurityPolicy { policy, is_satisfied };
        unit.stage::<Organization>(id, rule::decide(&state, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
