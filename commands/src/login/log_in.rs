//! Sign in with address and password.
//!
//! The password is compared once, outside of the tries. Each try reads the lock again and appends at the revision that it
//! read, so of any number of parallel guesses only the first few are answered at all: the rest finds the lock.

use keynest_crypto::{Password, RefreshTokens};
use keynest_domain::login::{self, Login, Rejection};
use keynest_domain::session::{self, Session, SessionStarted, SignInMethod};
use keynest_domain::user::{self, Standing, User};
use keynest_domain::{Email, Event, LoginId, Sealed, Timestamp, UserId};

use super::{NOBODY, claim_device};
use crate::session::SignedIn;
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
}

impl Commands {
    /// Starts a session, or refuses without saying why.
    pub async fn log_in(
        &self,
        origin: &Origin,
        wish: LogIn,
    ) -> Result<Executed<SignedIn>, CommandError> {
        let claim = claims::email(self.keyring(), &wish.email);
        let owner = self.store().resolve(&claim).await?;
        let user = owner.map(|(stream, _)| owner_of(&stream)).transpose()?;
        let login = self.counting_stream(origin, &wish.email, user).await?;
        self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
        let verified = self.compare(user, &wish.password).await?;
        let executed = self.execute(&origin.once(), &Compared { login, user, verified }).await?;
        let started = executed.outcome?;
        let outcome = SignedIn::issue(
            self,
            started.session,
            started.user,
            started.epoch,
            0,
            started.refresh_key,
        )?;
        Ok(Executed { position: executed.position, outcome })
    }

    /// Costs the same for addresses without an account.
    async fn compare(
        &self,
        user: Option<UserId>,
        password: &Password,
    ) -> Result<Option<Sealed>, CommandError> {
        let state = self.read::<User>(user.unwrap_or(NOBODY)).await?;
        let stored = match user {
            Some(id) => Some(self.open_user_password(id, &state).await?),
            None => None,
        };
        let is_right = self.hasher().verify(password, stored.as_deref()).await?;
        Ok(if is_right { state.password.clone() } else { None })
    }
}

impl UseCase for Compared {
    type Outcome = Result<SessionStarted, Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let login = unit.load::<Login>(self.login).await?;
        let user = unit.load::<User>(self.user.unwrap_or(NOBODY)).await?;
        let at = unit.now();
        // The comparison must be with the hash that stands now.
        let is_right = self.verified.is_some() && self.verified == user.password;
        match (self.user, user.standing) {
            (Some(id), Standing::Active) if is_right => {
                unit.stage::<Login>(self.login, login::succeed(&login, Some(id), at)?);
                start_session(unit, id, user.epoch, at)?;
            }
            // Whoever knows the password may know what is missing.
            (Some(_), Standing::Inactive) if is_right => {
                login.require_unlocked(at)?;
                return Err(user::Rejection::Inactive.into());
            }
            _ => unit.stage::<Login>(self.login, login::fail(&login, self.user, at)?),
        }
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        events.iter().find_map(started).ok_or(Rejection::InvalidCredentials)
    }
}

fn start_session(
    unit: &mut Unit<'_>,
    user: UserId,
    epoch: u32,
    at: Timestamp,
) -> Result<(), CommandError> {
    let session = unit.commands().clock().session_id();
    let refresh_key = RefreshTokens::new(unit.commands().keyring().clone()).current_key_id();
    let method = SignInMethod::Password;
    let wish = SessionStarted { session, user, epoch, refresh_key, method, at };
    unit.stage::<Session>(session, session::start::decide(&Session::default(), wish)?);
    claim_device(unit, user, session);
    Ok(())
}

fn started(event: &Event) -> Option<SessionStarted> {
    let Event::Session(session::Event::SessionStarted(started)) = event else { return None };
    Some(started.clone())
}
