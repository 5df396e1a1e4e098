//! Confirm a change of address by one of the two mailed links; with the second, the claim moves to the new address.

use keynest_crypto::{LinkTarget, Links, Subject, random};
use keynest_domain::user::{self, EmailChange, MailSide, Rejection, User, confirm_email_change};
use keynest_domain::{Aggregate, Email, Event, Sealed, UserId};

use super::request_email_change;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

const EVENT: &str = "user.email_changed";

/// The wish.
#[derive(Clone)]
pub struct ConfirmEmailChange {
    /// Whose link it is; told to be the same as in the token.
    pub user: UserId,
    /// The token of the link.
    pub token: String,
}

impl Commands {
    /// Uses one link. True: both were used, the address is the new one.
    pub async fn confirm_email_change(
        &self,
        origin: &Origin,
        wish: ConfirmEmailChange,
    ) -> Result<Executed<bool>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for ConfirmEmailChange {
    type Outcome = bool;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.user;
        let user = unit.load::<User>(id).await?;
        let change = user.email_change.as_ref().ok_or(Rejection::LinkInvalid)?;
        let side = self.side().ok_or(Rejection::LinkInvalid)?;
        let (link, target) = match side {
            MailSide::New => (change.new_link, LinkTarget::NewEmail(id)),
            MailSide::Old => (change.old_link, LinkTarget::OldEmail(id)),
        };
        if !unit.commands().is_genuine_link(&self.token, target, link) {
            return Err(Rejection::LinkInvalid.into());
        }
        let nonce = link.ok_or(Rejection::LinkInvalid)?.nonce;
        let at = unit.now();
        let wished = unit.commands().open_wished_email(id, change).await?;
        let current = unit.commands().open_user_email(id, &user).await?;
        if confirm_email_change::completes(&user, side, nonce, at)? {
            move_claim(unit, id, &current, &wished).await?;
        }
        let wish = confirm_email_change::ConfirmEmailChange {
            side,
            nonce,
            email: seal(unit, id, "email", &wished).await?,
            previous: seal(unit, id, "previous", &current).await?,
            undo_nonce: random::link_nonce(),
            undo_for: unit.commands().settings().links.email_undo,
            at,
        };
        unit.stage::<User>(id, confirm_email_change::decide(&user, wish)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> bool {
        events.iter().any(|event| matches!(event, Event::User(user::Event::EmailChanged(_))))
    }
}

impl ConfirmEmailChange {
    fn side(&self) -> Option<MailSide> {
        match Links::read(&self.token)?.target {
            LinkTarget::NewEmail(user) => (user == self.user).then_some(MailSide::New),
            LinkTarget::OldEmail(user) => (user == self.user).then_some(MailSide::Old),
            LinkTarget::Activation(_)
            | LinkTarget::PasswordReset(_)
            | LinkTarget::Invitation(..)
            | LinkTarget::EmailUndo(_) => None,
        }
    }
}

/// Gives one address back and takes another in the same append; one that another account has is refused.
pub(super) async fn move_claim(
    unit: &mut Unit<'_>,
    user: UserId,
    from: &Email,
    to: &Email,
) -> Result<(), CommandError> {
    let keyring = unit.commands().keyring();
    let (old, new) = (claims::email(keyring, from), claims::email(keyring, to));
    let stream = User::stream(user);
    if unit.resolve(&new).await?.is_some_and(|holder| holder != stream) {
        return Err(Rejection::EmailTaken.into());
    }
    unit.release(old);
    unit.claim(new, stream);
    Ok(())
}

async fn seal(
    unit: &Unit<'_>,
    user: UserId,
    field: &'static str,
    email: &Email,
) -> Result<Sealed, CommandError> {
    unit.seal::<User>(Subject::User(user), user, EVENT, field, email.as_str()).await
}

impl Commands {
    async fn open_wished_email(
        &self,
        id: UserId,
        change: &EmailChange,
    ) -> Result<Email, CommandError> {
        let event = Some(request_email_change::EVENT);
        let text = self.open_user_field(id, Some(&change.email), event, "email").await?;
        Email::parse(&text).map_err(|_| CommandError::Damaged(User::stream(id).to_string()))
    }
}
