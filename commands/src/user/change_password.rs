//! Change the password, knowing the old one. Wrong guesses count and lock as at a sign-in.

use keynest_crypto::{Password, Subject};
use keynest_domain::login::{self, Login};
use keynest_domain::user::{self, Rejection, User, change_password};
use keynest_domain::{Event, LoginId, Sealed, UserId};

use crate::login::login_id;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish.
#[derive(Clone)]
pub struct ChangePassword {
    /// The current password.
    pub current: Password,
    /// The password from now on.
    pub new: Password,
    /// Further words that it may not consist of: the names of the person's organizations.
    pub context: Vec<String>,
}

struct Hashed {
    user: UserId,
    /// Counts guesses of the current password, whoever holds the access token.
    login: LoginId,
    /// What the current password was found right for.
    verified: Option<Sealed>,
    hash: String,
}

impl Commands {
    /// Sets the password; every session but the caller's ends.
    pub async fn change_password(
        &self,
        origin: &Origin,
        wish: ChangePassword,
    ) -> Result<Executed<()>, CommandError> {
        let id = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let login = login_id(self.keyring(), "login-change", &id.to_string());
        self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
        let user = self.read::<User>(id).await?;
        user.require_active()?;
        let names = self.open_user_names(id, &user).await?;
        let words = names.context_words(&wish.context);
        self.refuse_guessable("new_password", &wish.new, &words)?;
        // Who has no password sets the first one by mail.
        let stored = match &user.password {
            Some(_) => Some(self.open_user_password(id, &user).await?),
            None => None,
        };
        let is_right = self.hasher().verify(&wish.current, stored.as_deref()).await?;
        let verified = if is_right { user.password.clone() } else { None };
        // A wrong one must not wait for a hash that nobody needs.
        let hash = if is_right { self.hasher().hash(&wish.new).await? } else { String::new() };
        let executed = self.execute(origin, &Hashed { user: id, login, verified, hash }).await?;
        executed.outcome?;
        Ok(Executed { position: executed.position, outcome: () })
    }
}

impl UseCase for Hashed {
    type Outcome = Result<(), Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        if user.factors.is_on() {
            // The old password proves one factor of two.
            unit.require_fresh_sign_in().await?;
        }
        let login = unit.load::<Login>(self.login).await?;
        let (at, who) = (unit.now(), Some(self.user));
        if !user.is_proved_by(self.verified.as_ref()) {
            let lockout = &unit.commands().settings().lockout;
            unit.stage::<Login>(self.login, login::fail(&login, who, lockout, at)?);
            return Ok(());
        }
        unit.stage::<Login>(self.login, login::succeed(&login, who, at)?);
        let password = unit
            .seal::<User>(
                Subject::User(self.user),
                self.user,
                "user.password_changed",
                "password",
                &self.hash,
            )
            .await?;
        let kept = unit.origin().session;
        let verified = self.verified.clone();
        let wish = change_password::ChangePassword { verified, password, kept, at };
        unit.stage::<User>(self.user, change_password::decide(&user, wish)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        let is_done = events
            .iter()
            .any(|event| matches!(event, Event::User(user::Event::PasswordChanged(_))));
        if is_done { Ok(()) } else { Err(Rejection::WrongPassword) }
    }
}
