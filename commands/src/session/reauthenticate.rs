//! Prove again who holds the session: with the password and, where the account has a second factor, with that too. A
//! passkey with its holder verified is both at once. Wrong guesses count and lock as elsewhere.

use keynest_crypto::{PasskeyCredential, Password};
use keynest_domain::challenge::{self, Challenge};
use keynest_domain::login::{self, Login};
use keynest_domain::session::{self, Session, reauthenticate};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{ChallengeId, Event, LoginId, Sealed, SessionId, UserId};

use crate::login::{Answer, Ceremony, Ticket, TicketKind, login_id, proved};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// What the caller proves.
#[derive(Clone)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Reauthenticate {
    pub password: Option<Password>,
    pub answer: Option<Answer>,
    /// Of the ceremony, where the answer is a passkey's.
    pub token: Option<String>,
}

struct Compared {
    user: UserId,
    session: SessionId,
    /// Counts guesses of the current password, whoever holds the access token.
    login: LoginId,
    has_password: bool,
    /// What the password was found right for.
    verified: Option<Sealed>,
    answer: Option<Answer>,
    ceremony: Option<(ChallengeId, Option<String>)>,
}

impl Commands {
    /// What the browser needs to ask for one of the caller's passkeys.
    pub async fn begin_reauthentication(&self, origin: &Origin) -> Result<Ceremony, CommandError> {
        let id = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let user = self.read::<User>(id).await?;
        let known = self.open_passkeys(id, &user).await?;
        if known.is_empty() {
            return Err(Rejection::NoFactor.into());
        }
        let known: Vec<PasskeyCredential> = known.into_iter().map(|(_, it)| it).collect();
        self.ceremony(TicketKind::Reauthentication, Some(id), origin.session, &known)
    }

    /// Opens sensitive actions to the caller's session for a while.
    pub async fn reauthenticate(
        &self,
        origin: &Origin,
        wish: Reauthenticate,
    ) -> Result<Executed<()>, CommandError> {
        let id = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let session = origin.session.ok_or(session::Rejection::StepUpRequired)?;
        let login = login_id(self.keyring(), "login-change", &id.to_string());
        let user = self.read::<User>(id).await?;
        user.require_active()?;
        let mut verified = None;
        if let (Some(password), Some(_)) = (&wish.password, &user.password) {
            self.read::<Login>(login).await?.require_unlocked(self.clock().now())?;
            let stored = self.open_user_password(id, &user).await?;
            let is_right = self.hasher().verify(password, Some(&stored)).await?;
            verified = if is_right { user.password.clone() } else { None };
        }
        let has_password = wish.password.is_some();
        let ceremony = wish.token.as_deref().map(|token| self.opened_ceremony(origin, token));
        let ceremony = ceremony.transpose()?;
        let answer = wish.answer;
        let case = Compared { user: id, session, login, has_password, verified, answer, ceremony };
        let executed = self.execute(&origin.once(), &case).await?;
        executed.outcome?;
        Ok(Executed { position: executed.position, outcome: () })
    }

    fn opened_ceremony(
        &self,
        origin: &Origin,
        token: &str,
    ) -> Result<(ChallengeId, Option<String>), CommandError> {
        let now = self.clock().now();
        let ticket = Ticket::open(TicketKind::Reauthentication, self.keyring(), token, now)
            .filter(|it| it.user == origin.actor && it.session == origin.session)
            .ok_or(Rejection::ChallengeInvalid)?;
        Ok((ticket.id, ticket.state))
    }
}

impl Compared {
    /// Whether the password was right; a wrong one is counted.
    async fn password(&self, unit: &mut Unit<'_>, user: &User) -> Result<bool, CommandError> {
        let login = unit.load::<Login>(self.login).await?;
        let (at, who) = (unit.now(), Some(self.user));
        let is_right = user.is_proved_by(self.verified.as_ref());
        let lockout = &unit.commands().settings().lockout;
        let events = match is_right {
            true => login::succeed(&login, who, at)?,
            false => login::fail(&login, who, lockout, at)?,
        };
        unit.stage::<Login>(self.login, events);
        Ok(is_right)
    }

    /// Whether the second factor was right; a wrong code is counted.
    async fn second_factor(
        &self,
        unit: &mut Unit<'_>,
        user: &User,
        answer: &Answer,
    ) -> Result<bool, CommandError> {
        let (at, who) = (unit.now(), Some(self.user));
        let stream = unit.commands().code_guesses(self.user);
        let guesses = unit.load::<Login>(stream).await?;
        if answer.is_guessable() {
            guesses.require_unlocked(at)?;
        }
        let state = self.ceremony.as_ref().and_then(|(_, state)| state.as_deref());
        match (proved(unit, self.user, user, state, answer).await?, answer.is_guessable()) {
            (Ok(events), counts) => {
                unit.stage::<User>(self.user, events);
                if counts {
                    unit.stage::<Login>(stream, login::succeed(&guesses, who, at)?);
                } else if let Some((id, _)) = self.ceremony {
                    let used = unit.load::<Challenge>(id).await?;
                    let events = challenge::use_once(&used, self.user, at)?;
                    unit.stage::<Challenge>(id, events);
                }
                Ok(true)
            }
            (Err(_), true) => {
                let lockout = &unit.commands().settings().lockout;
                unit.stage::<Login>(stream, login::fail(&guesses, who, lockout, at)?);
                Ok(false)
            }
            (Err(why), false) => Err(why.into()),
        }
    }
}

impl UseCase for Compared {
    type Outcome = Result<(), Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load::<User>(self.user).await?;
        let session = unit.load::<Session>(self.session).await?;
        let is_on = user.factors.is_on();
        // Of an account without factors no answer proves anything.
        let answer = self.answer.as_ref().filter(|_| is_on);
        let is_passkey = answer.is_some_and(|answer| !answer.is_guessable());
        if is_on && answer.is_none() {
            return Err(Rejection::SecondFactorMissing.into());
        }
        // A passkey stands for the password; an account without a password has none to prove.
        let needs_password = !is_passkey && (user.password.is_some() || !is_on);
        if needs_password && !self.has_password {
            return Err(Rejection::WrongPassword.into());
        }
        if needs_password && !self.password(unit, &user).await? {
            return Ok(());
        }
        let mut second_factor = None;
        if let Some(answer) = answer {
            if !self.second_factor(unit, &user, answer).await? {
                return Ok(());
            }
            second_factor = Some(answer.kind());
        }
        let events = reauthenticate::decide(&session, second_factor, unit.now())?;
        unit.stage::<Session>(self.session, events);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        let is_done = events.iter().any(|event| {
            matches!(event, Event::Session(session::Event::SessionReauthenticated(_)))
        });
        match &self.answer {
            _ if is_done => Ok(()),
            Some(answer) if self.verified.is_some() => Err(answer.refused()),
            Some(_) | None => Err(Rejection::WrongPassword),
        }
    }
}
