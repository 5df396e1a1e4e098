//! Sign in with a passkey alone: what the device has, and its holder verified by the device.

use keynest_crypto::Subject;
use keynest_crypto::passkey::credential_id;
use keynest_domain::challenge::{self, Challenge};
use keynest_domain::session::SignInMethod;
use keynest_domain::user::{Rejection, User};
use keynest_domain::{ChallengeId, Event, UserId};
use serde_json::Value;

use super::open_session::{Opened, open_session, opened};
use super::second_factor::{Answer, proved};
use super::sign_in::Ceremony;
use super::ticket::{Ticket, TicketKind};
use super::{NOBODY, SignIn};
use crate::user::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct Signed {
    challenge: ChallengeId,
    user: UserId,
    state: Option<String>,
    answer: Answer,
}

impl Commands {
    /// What the browser needs to ask for any passkey of this site. Nothing is written: anybody may ask.
    pub fn begin_passkey_sign_in(&self) -> Result<Ceremony, CommandError> {
        self.ceremony(TicketKind::PasskeySignIn, None, None, &[])
    }

    /// Starts a session for whoever holds the passkey.
    pub async fn sign_in_with_passkey(
        &self,
        origin: &Origin,
        token: &str,
        response: Value,
    ) -> Result<Executed<SignIn>, CommandError> {
        let now = self.clock().now();
        let ticket = Ticket::open(TicketKind::PasskeySignIn, self.keyring(), token, now)
            .ok_or(challenge::Rejection::NotOpen)?;
        let credential = credential_id(&response).ok_or(Rejection::PasskeyWrong)?;
        let claim = claims::passkey(self.keyring(), &credential);
        // A passkey that is not known is nobody's, and costs what somebody's would.
        let owner = self.store().resolve(&claim).await?;
        let user = owner.map_or(Ok(NOBODY), |(stream, _)| owner_of(&stream))?;
        self.keyring().refetch(Subject::User(user)).await?;
        let answer = Answer::Passkey(response);
        let case = Signed { challenge: ticket.id, user, state: ticket.state, answer };
        let executed = self.execute(&origin.once(), &case).await?;
        let outcome = executed.outcome?;
        Executed { position: executed.position, outcome }.sign_in(self).await
    }
}

impl UseCase for Signed {
    type Outcome = Result<Opened, Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let user = unit.load_anew::<User>(self.user).await?;
        let used = unit.load_anew::<Challenge>(self.challenge).await?;
        let events = proved(unit, self.user, &user, self.state.as_deref(), &self.answer).await?;
        // Of an account that is closed nobody learns more than of a passkey that is not known.
        let events = events.map_err(|_| Rejection::PasskeyWrong)?;
        let use_once = challenge::use_once(&used, self.user, unit.now())?;
        unit.stage::<User>(self.user, events);
        unit.stage::<Challenge>(self.challenge, use_once);
        open_session(unit, self.user, SignInMethod::Passkey).await
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        opened(events).ok_or(Rejection::PasskeyWrong)
    }
}
