//! Sensitive actions ask for somebody who has just proved who they are, not only for a session; organizations may ask
//! their members for a second factor (DESIGN 8).

use keynest_domain::OrganizationId;
use keynest_domain::organization::{Organization, SecurityPolicy};
use keynest_domain::permission::Denied;
use keynest_domain::session::{Rejection, Session};
use keynest_domain::user::User;

use crate::{CommandError, Commands, Origin, Unit};

impl Unit<'_> {
    /// Refuses unless the caller's session was authenticated lately: for what is always sensitive.
    pub async fn require_fresh_sign_in(&mut self) -> Result<(), CommandError> {
        let id = self.origin().session.ok_or(Rejection::StepUpRequired)?;
        let session = self.load::<Session>(id).await?;
        session.require_fresh(self.now(), self.commands().settings().fresh_for)?;
        Ok(())
    }

    /// The same where the organization's security policy asks for it. A token cannot prove anything again.
    pub async fn require_step_up(&mut self, id: OrganizationId) -> Result<(), CommandError> {
        let is_asked_for = self.load::<Organization>(id).await?.policy.step_up;
        if is_asked_for { self.require_fresh_sign_in().await } else { Ok(()) }
    }

    /// Whether the caller has signed in with a second factor that is still there; for a token, whether its owner has one.
    pub(crate) async fn has_second_factor(&mut self) -> Result<bool, CommandError> {
        let actor = self.actor()?;
        // A service is no person: an admin who has one made it.
        if self.origin().token.as_ref().is_some_and(|token| token.id.get() == actor.get()) {
            return Ok(true);
        }
        if !self.load::<User>(actor).await?.factors.is_on() {
            return Ok(false);
        }
        match self.origin().session {
            Some(session) if self.origin().token.is_none() => {
                Ok(self.load::<Session>(session).await?.second_factor.is_some())
            }
            Some(_) | None => Ok(self.origin().token.is_some()),
        }
    }

    /// Refuses members who have not signed in as their organization asks.
    pub(crate) async fn require_policy(
        &mut self,
        organization: OrganizationId,
        policy: SecurityPolicy,
    ) -> Result<(), CommandError> {
        if !policy.require_second_factor || self.has_second_factor().await? {
            return Ok(());
        }
        Err(CommandError::Denied { organization, why: Denied::SecondFactorRequired })
    }
}

impl Commands {
    /// The read side's question: whether the caller has signed in as the organization asks. Nothing is read where the
    /// organization is known and asks for nothing.
    pub async fn require_policy(
        &self,
        origin: &Origin,
        organization: OrganizationId,
    ) -> Result<(), CommandError> {
        let mut unit = Unit::new(self, origin, false);
        let policy = unit.load::<Organization>(organization).await?.policy;
        unit.require_policy(organization, policy).await
    }

    /// What an organization asks for, for one of its admins.
    pub async fn security_policy(
        &self,
        origin: &Origin,
        organization: OrganizationId,
    ) -> Result<SecurityPolicy, CommandError> {
        let mut unit = Unit::new(self, origin, true);
        unit.authorize(organization, keynest_domain::Permission::UpdateOrganization).await?;
        Ok(unit.load::<Organization>(organization).await?.policy)
    }
}
