//! Sensitive actions ask for somebody who has just proved who they are, not only for a session; organizations may ask
//! their members for a second factor (DESIGN 8).

use keynest_domain::organization::{Organization, SecurityPolicy};
use keynest_domain::permission::Denied;
use keynest_domain::session::{Rejection, Session};
use keynest_domain::user::User;
use keynest_domain::{Bearer, OrganizationId, Shown};

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

    /// Whether a second factor stands behind the caller, as queries ask it of their rows (`is_two_factor` of the read models).
    pub(crate) async fn has_second_factor(&mut self) -> Result<bool, CommandError> {
        let (actor, bearer) = (self.actor()?, self.origin().bearer());
        let mut shown = Shown::default();
        if let Bearer::Session(_) | Bearer::Token(_) = bearer {
            let user = self.load::<User>(actor).await?;
            shown.has_factor = user.factors.is_on();
            if let Bearer::Token(token) = bearer {
                let known = user.tokens.get(&token);
                shown.began_with_one = known.is_some_and(|known| known.is_two_factor);
            }
        }
        if let (Bearer::Session(session), true) = (bearer, shown.has_factor) {
            let session = self.load::<Session>(session).await?;
            shown.began_with_one = session.second_factor.is_some();
        }
        Ok(bearer.is_two_factor(shown))
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
    /// Before a value is opened, besides what the query said: whether the caller has signed in as the organization asks.
    /// Nothing is read where the organization is known and asks for nothing.
    pub(crate) async fn require_policy(
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
