//! Set a new password by the mailed link.

use keynest_crypto::{LinkTarget, Password, Subject, password};
use keynest_domain::login::{self, Login};
use keynest_domain::user::{OpenLink, Rejection, User, confirm_password_reset};
use keynest_domain::{Event, LoginId, UserId};
use keynest_store::Position;

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone)]
pub struct ConfirmPasswordReset {
    /// Whose link it is; told to be the same as in the token.
    pub user: UserId,
    /// The token of the link.
    pub token: String,
    /// The new password.
    pub password: Password,
    /// Further words that it may not consist of: the names of the person's organizations.
    pub context: Vec<String>,
}

struct Hashed {
    user: UserId,
    link: OpenLink,
    login: LoginId,
    hash: String,
}

impl Commands {
    /// Sets the password once; every session ends, and a lock of the address is lifted.
    pub async fn confirm_password_reset(
        &self,
        origin: &Origin,
        wish: ConfirmPasswordReset,
    ) -> Result<Executed<()>, CommandError> {
        // The link of a repeated request is used up, by that same request.
        if let Some(position) = self.done_before(origin).await? {
            return Ok(Executed { position: Some(position), outcome: () });
        }
        let id = wish.user;
        let user = self.read::<User>(id).await?;
        let link = user.reset.ok_or(Rejection::LinkInvalid)?;
        if !self.is_genuine_link(&wish.token, LinkTarget::PasswordReset(id), Some(link)) {
            return Err(Rejection::LinkInvalid.into());
        }
        confirm_password_reset::may_set(&user, link.nonce, self.clock().now())?;
        let names = self.open_user_names(id, &user).await?;
        let words = names.context_words(&wish.context);
        self.refuse_guessable("new_password", &wish.password, &words)?;
        let login = self.keyring().login_id(&self.open_user_email(id, &user).await?);
        let hash = self.hasher().hash(&wish.password).await?;
        self.execute(origin, &Hashed { user: id, link, login, hash }).await
    }

    async fn done_before(&self, origin: &Origin) -> Result<Option<Position>, CommandError> {
        let Some(command) = origin.command.filter(|command| command.is_repeat) else {
            return Ok(None);
        };
        Ok(self.store().lookup(command.id).await?.map(|appended| appended.position))
    }
}

impl Commands {
    /// The policy, with words of the account that a password may not consist of.
    pub(super) fn refuse_guessable(
        &self,
        field: &'static str,
        password: &Password,
        words: &[&str],
    ) -> Result<(), CommandError> {
        password::require_chars(password, self.settings().password_chars_min)
            .and_then(|()| password::check(password, words))
            .map_err(|why| CommandError::Field { field, why })
    }
}

impl UseCase for Hashed {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        let login = unit.load::<Login>(self.login).await?;
        let at = unit.now();
        confirm_password_reset::may_set(&user, self.link.nonce, at)?;
        let password = unit
            .seal::<User>(
                Subject::User(self.user),
                self.user,
                "user.password_reset",
                "password",
                &self.hash,
            )
            .await?;
        let wish =
            confirm_password_reset::ConfirmPasswordReset { nonce: self.link.nonce, password, at };
        unit.stage::<User>(self.user, confirm_password_reset::decide(&user, wish)?);
        unit.stage::<Login>(self.login, login::unlock(&login, Some(self.user), at));
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
