//! Look at what somebody answered with: which factor of the account it proves, if any.

use keynest_crypto::passkey::credential_id;
use keynest_crypto::{Context, PasskeyCredential, Subject, TotpSecret, recovery_code};
use keynest_domain::session::SecondFactor;
use keynest_domain::user::factors::prove::Proved;
use keynest_domain::user::{Event as UserEvent, Rejection, User, factors};
use keynest_domain::{Aggregate, FactorId, LoginId, Sealed, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::login_id;
use crate::{CommandError, Commands, Unit};

/// What somebody answers the question for the second factor with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A code of an authenticator app.
    Code(SecretString),
    /// One of the codes for a lost factor.
    RecoveryCode(SecretString),
    /// What a passkey signed.
    Passkey(Value),
}

impl Answer {
    /// What it would prove.
    pub fn kind(&self) -> SecondFactor {
        match self {
            Self::Code(_) => SecondFactor::Totp,
            Self::RecoveryCode(_) => SecondFactor::RecoveryCode,
            Self::Passkey(_) => SecondFactor::Passkey,
        }
    }

    /// Whether it could be guessed, so that wrong ones count and lock.
    pub(crate) fn is_guessable(&self) -> bool {
        !matches!(self, Self::Passkey(_))
    }

    /// What is told of a wrong one.
    pub(crate) fn refused(&self) -> Rejection {
        if self.is_guessable() { Rejection::CodeWrong } else { Rejection::PasskeyWrong }
    }
}

impl Commands {
    /// Counts wrong codes of an account, over all flows that take one.
    pub(crate) fn code_guesses(&self, user: UserId) -> LoginId {
        login_id(self.keyring(), "login-factor", &user.to_string())
    }

    /// The passkeys of an account, for the ceremony.
    pub(crate) async fn open_passkeys(
        &self,
        id: UserId,
        user: &User,
    ) -> Result<Vec<(FactorId, PasskeyCredential)>, CommandError> {
        let mut open = Vec::new();
        for (factor, passkey) in &user.factors.passkeys {
            let sealed = &passkey.credential;
            let text = self.open_factor(id, "user.passkey_enrolled", "credential", sealed).await?;
            let damaged = || CommandError::Damaged(User::stream(id).to_string());
            open.push((*factor, PasskeyCredential::parse(&text).ok_or_else(damaged)?));
        }
        Ok(open)
    }

    /// What an answer proves now, if anything. Whether it was used before is the rule's question.
    async fn prove(
        &self,
        id: UserId,
        user: &User,
        state: Option<&str>,
        answer: &Answer,
    ) -> Result<Option<Proved>, CommandError> {
        match answer {
            Answer::Code(code) => self.prove_code(id, user, code).await,
            Answer::RecoveryCode(code) => self.prove_recovery_code(id, user, code).await,
            Answer::Passkey(response) => self.prove_passkey(id, user, state, response).await,
        }
    }

    async fn prove_code(
        &self,
        id: UserId,
        user: &User,
        code: &SecretString,
    ) -> Result<Option<Proved>, CommandError> {
        let now = u64::try_from(self.clock().now().seconds()).unwrap_or(0);
        for (factor, totp) in &user.factors.totps {
            let text = self.open_factor(id, "user.totp_enrolled", "secret", &totp.secret).await?;
            let damaged = || CommandError::Damaged(User::stream(id).to_string());
            let secret = TotpSecret::parse(&text).ok_or_else(damaged)?;
            let step = secret.check(code.expose_secret(), now);
            if let Some(step) = step.filter(|step| *step > totp.used_step) {
                return Ok(Some(Proved::Totp { factor: *factor, step }));
            }
        }
        Ok(None)
    }

    async fn prove_recovery_code(
        &self,
        id: UserId,
        user: &User,
        code: &SecretString,
    ) -> Result<Option<Proved>, CommandError> {
        let Some(codes) = &user.factors.recovery else { return Ok(None) };
        let said = recovery_code::digest(self.keyring(), &id.to_string(), code.expose_secret());
        let Some(said) = said else { return Ok(None) };
        let stored =
            self.open_factor(id, "user.recovery_codes_made", "digests", &codes.digests).await?;
        // Keyed digests: whoever does not have the key learns nothing from how long a comparison takes.
        let slot = stored.lines().position(|line| line == said);
        Ok(slot.and_then(|slot| u8::try_from(slot).ok()).map(|slot| Proved::RecoveryCode { slot }))
    }

    async fn prove_passkey(
        &self,
        id: UserId,
        user: &User,
        state: Option<&str>,
        response: &Value,
    ) -> Result<Option<Proved>, CommandError> {
        let (Some(party), Some(state)) = (&self.settings().relying_party, state) else {
            return Ok(None);
        };
        let Some(said) = credential_id(response) else { return Ok(None) };
        let known = self.open_passkeys(id, user).await?;
        let known = known.iter().find(|(_, it)| it.id() == said);
        match party.finish(state, response.clone(), known.map(|(_, credential)| credential)) {
            Ok(signed) => Ok(known
                .filter(|_| signed.is_verified)
                .map(|(factor, _)| Proved::Passkey { factor: *factor, counter: signed.counter })),
            Err(error) => {
                tracing::info!(%error, "a passkey was refused");
                Ok(None)
            }
        }
    }

    async fn open_factor(
        &self,
        id: UserId,
        event: &'static str,
        field: &'static str,
        sealed: &Sealed,
    ) -> Result<String, CommandError> {
        let context = Context::new(Subject::User(id), User::stream(id), event, field);
        let text = self.keyring().open_text(&context, sealed).await?.ok_or(Rejection::Absent)?;
        Ok(text.as_str().to_owned())
    }
}

/// The events of a right answer, refused where it is wrong or was used before.
pub(crate) async fn proved(
    unit: &Unit<'_>,
    id: UserId,
    user: &User,
    state: Option<&str>,
    answer: &Answer,
) -> Result<Result<Vec<UserEvent>, Rejection>, CommandError> {
    let Some(proved) = unit.commands().prove(id, user, state, answer).await? else {
        return Ok(Err(answer.refused()));
    };
    Ok(factors::prove::decide(user, proved, unit.now()))
}
