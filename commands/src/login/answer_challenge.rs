//! Answer the question for the second factor: the session begins here, and nowhere before.

use keynest_domain::challenge::{self, Challenge};
use keynest_domain::login::{self, Login};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{ChallengeId, Event};

use super::SignIn;
use super::open_session::{Opened, opened, start_session};
use super::second_factor::{Answer, proved};
use super::ticket::{Ticket, TicketKind};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct Answered {
    challenge: ChallengeId,
    state: Option<String>,
    answer: Answer,
}

impl Commands {
    /// Starts the session that a challenge stands before.
    pub async fn answer_challenge(
        &self,
        origin: &Origin,
        token: &str,
        answer: Answer,
    ) -> Result<Executed<SignIn>, CommandError> {
        let now = self.clock().now();
        let ticket = Ticket::open(TicketKind::SignIn, self.keyring(), token, now)
            .ok_or(challenge::Rejection::NotOpen)?;
        let case = Answered { challenge: ticket.id, state: ticket.state, answer };
        let executed = self.execute(&origin.once(), &case).await?;
        let outcome = executed.outcome?;
        Executed { position: executed.position, outcome }.sign_in(self).await
    }
}

impl UseCase for Answered {
    type Outcome = Result<Opened, Rejection>;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let at = unit.now();
        let challenge = unit.load::<Challenge>(self.challenge).await?;
        let issued = challenge.require_open(at)?;
        let user = unit.load::<User>(issued.user).await?;
        user.require_active()?;
        if issued.epoch < user.epoch {
            return Err(challenge::Rejection::NotOpen.into());
        }
        let stream = unit.commands().code_guesses(issued.user);
        let guesses = unit.load::<Login>(stream).await?;
        let (who, counts) = (Some(issued.user), self.answer.is_guessable());
        if counts {
            guesses.require_unlocked(at)?;
        }
        let state = self.state.as_deref();
        match proved(unit, issued.user, &user, state, &self.answer).await? {
            Ok(events) => {
                unit.stage::<User>(issued.user, events);
                unit.stage::<Challenge>(self.challenge, challenge::answer(&challenge, at)?);
                if counts {
                    unit.stage::<Login>(stream, login::succeed(&guesses, who, at)?);
                }
                let factor = Some(self.answer.kind());
                start_session(unit, issued.user, issued.epoch, issued.method, factor).await
            }
            Err(_) => {
                unit.stage::<Challenge>(self.challenge, challenge::fail(&challenge, at)?);
                if counts {
                    let lockout = &unit.commands().settings().lockout;
                    unit.stage::<Login>(stream, login::fail(&guesses, who, lockout, at)?);
                }
                Ok(())
            }
        }
    }

    fn outcome(&self, events: &[Event]) -> Self::Outcome {
        opened(events).ok_or_else(|| self.answer.refused())
    }
}
