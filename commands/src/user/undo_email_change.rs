//! The owner of the old address takes it back by the mailed link; every session and token ends, what was
//! added since goes, and a reset link is mailed.

use keynest_crypto::{LinkTarget, Subject, random};
use keynest_domain::user::{Rejection, User, undo_email_change};
use keynest_domain::{Aggregate, Email, Event, UserId};
use keynest_store::ClaimKey;

use super::ConfirmEmailChange;
use super::confirm_email_change::move_claim;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct Undo(ConfirmEmailChange);

impl Commands {
    /// Works once, while the way back is open and nobody else took the address.
    pub async fn undo_email_change(
        &self,
        origin: &Origin,
        wish: ConfirmEmailChange,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Undo(wish)).await
    }
}

impl UseCase for Undo {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.0.user;
        let user = unit.load::<User>(id).await?;
        let undo = user.email_undo.as_ref().ok_or(Rejection::LinkInvalid)?;
        let target = LinkTarget::EmailUndo(id);
        if !unit.commands().is_genuine_link(&self.0.token, target, Some(undo.link)) {
            return Err(Rejection::LinkInvalid.into());
        }
        let at = unit.now();
        undo_email_change::may_undo(&user, undo.link.nonce, at)?;
        let (sealed, event) = (Some(&undo.previous), Some("user.email_changed"));
        let previous = unit.commands().open_user_field(id, sealed, event, "previous").await?;
        let previous = Email::parse(&previous)
            .map_err(|_| CommandError::Damaged(User::stream(id).to_string()))?;
        let current = unit.commands().open_user_email(id, &user).await?;
        move_claim(unit, id, &current, &previous).await?;
        let (subject, name) = (Subject::User(id), "user.email_change_undone");
        let email = unit.seal::<User>(subject, id, name, "email", previous.as_str()).await?;
        unit.release_added(id, &user).await?;
        let made = "user.recovery_codes_made";
        let no_codes = unit.seal::<User>(subject, id, made, "digests", "").await?;
        let wish = undo_email_change::UndoEmailChange {
            nonce: undo.link.nonce,
            email,
            no_codes,
            reset_nonce: random::link_nonce(),
            reset_for: unit.commands().settings().links.password_reset,
            at,
        };
        unit.stage::<User>(id, undo_email_change::decide(&user, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}

impl Unit<'_> {
    /// Identities and passkeys that the undoing takes away are free for whose they are.
    async fn release_added(&mut self, id: UserId, user: &User) -> Result<(), CommandError> {
        for identity in undo_email_change::added_identities(user) {
            self.release(ClaimKey::from_stored(identity.claim.clone()));
        }
        let added = undo_email_change::added_factors(user);
        for (factor, passkey) in self.commands().open_passkeys(id, user).await? {
            if added.iter().any(|(known, _)| *known == factor) {
                self.release(claims::passkey(self.commands().keyring(), passkey.id()));
            }
        }
        Ok(())
    }
}
