//! Prove again who holds the session. Wrong guesses count and lock as at a change of the password.

use keynest_crypto::Password;
use keynest_domain::login::{self, Login};
use keynest_domain::session::{self, Session, reauthenticate};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{Event, LoginId, Sealed, SessionId, UserId};

use crate::login::login_id;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct Compared {
    user: UserId,
    session: SessionId,
    /// Counts guesses of the current password, whoever holds the access token.
    login: LoginId,
    /// What the password was found right for.
    verified: Option<Sealed>,
}

impl Commands {
    /// Opens sensitive actions to the caller's session for a while.
    pub async fn reauthenticate(
        &self,
        origin: &Origin,
        password: &Password,
    ) -> Result<Executed<()>, CommandError> {
        let id = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let session = origin.session.ok_or(session::Rejection::StepUpRequired)?;
        let login = login_id(self.keyring(), "login-change", &id.to_string());
        self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
        let user = self.read::<User>(id).await?;
        user.require_active()?;
        let stored = self.open_user_password(id, &user).await?;
        let is_right = self.hasher().verify(password, Some(&stored)).await?;
        let verified = if is_right { user.password.clone() } else { None };
        let case = Compared { user: id, session, login, verified };
        let executed = self.execute(&origin.once(), &case).await?;
        executed.outcome?;
        Ok(Executed { position: executed.position, outcome: () })
    }
}

impl UseCase for Compared {
    type Outcome = Result<(), Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        let login = unit.load::<Login>(self.login).await?;
        let session = unit.load::<Session>(self.session).await?;
        let (at, who) = (unit.now(), Some(self.user));
        if !user.is_proved_by(self.verified.as_ref()) {
            let lockout = &unit.commands().settings().lockout;
            unit.stage::<Login>(self.login, login::fail(&login, who, lockout, at)?);
            return Ok(());
        }
        unit.stage::<Login>(self.login, login::succeed(&login, who, at)?);
        unit.stage::<Session>(self.session, reauthenticate::decide(&session, None, at)?);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        let is_done = events.iter().any(|event| {
            matches!(event, Event::Session(session::Event::SessionReauthenticated(_)))
        });
        if is_done { Ok(()) } else { Err(Rejection::WrongPassword) }
    }
}
