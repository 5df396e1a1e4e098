//! Sign in with address and password.
//!
//! The password is compared once, outside of the tries. Each try reads the lock again and appends at the revision that it
//! read, so of any number of parallel guesses only the first few are answered at all: the rest finds the lock.

use keynest_crypto::{Password, Subject};
use keynest_domain::login::{self, Login, Rejection};
use keynest_domain::session::SignInMethod;
use keynest_domain::user::{self, Standing, User, rehash_password};
use keynest_domain::{Email, Event, LoginId, Sealed, UserId};

use super::open_session::{Opened, open_session, opened};
use super::{NOBODY, SignIn};
use crate::user::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LogIn {
    pub email: Email,
    pub password: Password,
}

struct Compared {
    login: LoginId,
    /// `None` for an address without an account.
    user: Option<UserId>,
    /// The stored hash that the password was found right for.
    verified: Option<Sealed>,
    /// The password hashed again, when the stored hash is weaker than today's.
    stronger: Option<String>,
}

impl Commands {
    /// Starts a session or asks for the second factor, or refuses without saying why.
    pub async fn log_in(
        &self,
        origin: &Origin,
        wish: LogIn,
    ) -> Result<Executed<SignIn>, CommandError> {
        let claim = claims::email(self.keyring(), &wish.email);
        let owner = self.store().resolve(&claim).await?;
        let user = owner.map(|(stream, _)| owner_of(&stream)).transpose()?;
        let login = self.counting_stream(origin, &wish.email, user).await?;
        self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
        let (verified, stronger) = self.compare(user, &wish.password).await?;
        let case = Compared { login, user, verified, stronger };
        let executed = self.execute(&origin.once(), &case).await?;
        if executed.outcome.is_err() {
            self.note_wrong_password(origin, &wish.email).await;
        }
        let outcome = executed.outcome?;
        Executed { position: executed.position, outcome }.sign_in(self).await
    }

    /// Costs the same for addresses without an account; only the right password is ever hashed again.
    async fn compare(
        &self,
        user: Option<UserId>,
        password: &Password,
    ) -> Result<(Option<Sealed>, Option<String>), CommandError> {
        let id = user.unwrap_or(NOBODY);
        let state = self.read::<User>(id).await?;
        // Somebody's key may be in memory, nobody's never is.
        self.keyring().refetch(Subject::User(id)).await?;
        let stored = match user {
            Some(id) if state.password.is_some() => {
                Some(self.open_user_password(id, &state).await?)
            }
            // No account, or one that signs in at an identity provider only: the work is the same.
            Some(_) | None => None,
        };
        let is_right = self.hasher().verify(password, stored.as_deref()).await?;
        if !is_right {
            return Ok((None, None));
        }
        let is_weak = stored.is_some_and(|stored| self.hasher().needs_upgrade(&stored));
        let stronger = if is_weak { Some(self.hasher().hash(password).await?) } else { None };
        Ok((state.password.clone(), stronger))
    }
}

impl UseCase for Compared {
    type Outcome = Result<Opened, Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let login = unit.load::<Login>(self.login).await?;
        let user = unit.load::<User>(self.user.unwrap_or(NOBODY)).await?;
        let at = unit.now();
        // The comparison must be with the hash that stands now.
        let is_right = user.is_proved_by(self.verified.as_ref());
        match (self.user, user.standing) {
            (Some(id), Standing::Active) if is_right => {
                unit.stage::<Login>(self.login, login::succeed(&login, Some(id), at)?);
                self.stage_stronger(unit, id, &user).await?;
                open_session(unit, id, SignInMethod::Password).await?;
            }
            // Whoever knows the password may know what is missing.
            (Some(_), Standing::Inactive) if is_right => {
                login.require_unlocked(at)?;
                return Err(user::Rejection::Inactive.into());
            }
            _ => {
                let lockout = &unit.commands().settings().lockout;
                let events = login::fail(&login, self.user, lockout, at)?;
                unit.stage::<Login>(self.login, events);
            }
        }
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        opened(events).ok_or(Rejection::InvalidCredentials)
    }
}

impl Compared {
    async fn stage_stronger(
        &self,
        unit: &mut Unit<'_>,
        id: UserId,
        user: &User,
    ) -> Result<(), CommandError> {
        let (Some(verified), Some(hash)) = (&self.verified, &self.stronger) else { return Ok(()) };
        let subject = Subject::User(id);
        let event = "user.password_rehashed";
        let password = unit.seal::<User>(subject, id, event, "password", hash).await?;
        unit.stage::<User>(id, rehash_password::decide(user, verified, password)?);
        Ok(())
    }
}
