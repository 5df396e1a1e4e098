//! Exchange a refresh token for its successor, which is derived again: nothing secret is stored (DESIGN 8).

use std::sync::{Mutex, PoisonError};

use keynest_crypto::RefreshTokens;
use keynest_domain::session::refresh::{self, Answer};
use keynest_domain::session::{Rejection, Session};
use keynest_domain::user::User;
use keynest_domain::{Event, KeyId, SessionId, UserId};

use super::SignedIn;
use crate::login::{NOBODY, claim_device};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct Refresh {
    session: SessionId,
    presented: u32,
    presented_key: KeyId,
    /// What the last try decided; a repeated answer appends nothing that it could be read from.
    decided: Mutex<Option<Decided>>,
}

#[derive(Clone, Copy)]
struct Decided {
    user: UserId,
    epoch: u32,
    answer: Answer,
}

impl Commands {
    /// The successor of a refresh token. A stolen one ends its session.
    pub async fn refresh(
        &self,
        origin: &Origin,
        token: &str,
    ) -> Result<Executed<SignedIn>, CommandError> {
        let tokens = RefreshTokens::new(self.keyring().clone());
        let (session, presented, presented_key) =
            tokens.parse(token).ok_or(Rejection::TokenInvalid)?;
        let case = Refresh { session, presented, presented_key, decided: Mutex::new(None) };
        let executed = self.execute(&origin.once(), &case).await?;
        let decided = executed.outcome.ok_or(Rejection::TokenInvalid)?;
        match decided.answer {
            Answer::Theft => Err(Rejection::Reused.into()),
            Answer::Successor { generation, key } => {
                let outcome =
                    SignedIn::issue(self, session, decided.user, decided.epoch, generation, key)?;
                Ok(Executed { position: executed.position, outcome })
            }
        }
    }

    /// The session that a refresh token names, good or not.
    pub fn session_of_refresh_token(&self, token: &str) -> Option<SessionId> {
        let tokens = RefreshTokens::new(self.keyring().clone());
        tokens.parse(token).map(|(session, _, _)| session)
    }
}

impl UseCase for Refresh {
    type Outcome = Option<Decided>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let session = unit.load::<Session>(self.session).await?;
        let owner = session.user.unwrap_or(NOBODY);
        let user = unit.load::<User>(owner).await?;
        let wish = refresh::Refresh {
            presented: self.presented,
            presented_key: self.presented_key,
            refresh_key: RefreshTokens::new(unit.commands().keyring().clone()).current_key_id(),
            lifetimes: unit.commands().settings().sessions,
            at: unit.now(),
        };
        let (answer, events) = refresh::decide(&session, &user, wish)?;
        let is_use = !events.is_empty() && answer != Answer::Theft;
        unit.stage::<Session>(self.session, events);
        if is_use {
            claim_device(unit, owner, self.session);
        }
        let decided = Decided { user: owner, epoch: user.epoch, answer };
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(decided);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) -> Self::Outcome {
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
