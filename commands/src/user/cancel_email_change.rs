//! Give up a change of address: by the link in the mail to the old address, or signed in.

use keynest_crypto::LinkTarget;
use keynest_domain::user::{OpenLink, Rejection, User, cancel_email_change};
use keynest_domain::{Event, UserId};

use super::ConfirmEmailChange;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct ByLink(ConfirmEmailChange);
struct ByOwner;

impl Commands {
    /// By the link to the old address, also after it was used to confirm.
    pub async fn cancel_email_change(
        &self,
        origin: &Origin,
        wish: ConfirmEmailChange,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ByLink(wish)).await
    }

    /// By the signed-in owner; nothing waits: nothing happens.
    pub async fn give_up_email_change(
        &self,
        origin: &Origin,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ByOwner).await
    }
}

impl UseCase for ByLink {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id: UserId = self.0.user;
        let user = unit.load::<User>(id).await?;
        let change = user.email_change.as_ref().ok_or(Rejection::LinkInvalid)?;
        let link = OpenLink { nonce: change.old_nonce, expires_at: change.expires_at };
        let target = LinkTarget::OldEmail(id);
        if !unit.commands().is_genuine_link(&self.0.token, target, Some(link)) {
            return Err(Rejection::LinkInvalid.into());
        }
        let at = unit.now();
        unit.stage::<User>(id, cancel_email_change::by_link(&user, link.nonce, at)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl UseCase for ByOwner {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        let at = unit.now();
        unit.stage::<User>(id, cancel_email_change::by_owner(&user, at)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
