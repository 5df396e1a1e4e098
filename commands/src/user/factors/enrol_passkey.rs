//! Add a passkey: the browser makes it for this site, and it counts once it signed the challenge.

use keynest_crypto::{PasskeyCredential, Subject};
use keynest_domain::challenge::{self, Challenge};
use keynest_domain::user::factors::PasskeyEnrolled;
use keynest_domain::user::factors::enrol::{self, Enrol};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{Aggregate, ChallengeId, Event, FactorId, FactorName, UserId};
use serde_json::Value;

use super::Enrolled;
use super::recovery_codes::FreshCodes;
use crate::login::{Ceremony, Ticket, TicketKind};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct Made {
    user: UserId,
    challenge: ChallengeId,
    factor: FactorId,
    name: FactorName,
    credential: PasskeyCredential,
    counter: u32,
    codes: FreshCodes,
}

impl Commands {
    /// What the browser needs to make a passkey for the caller, freshly authenticated. Nothing is written.
    pub async fn begin_passkey(&self, origin: &Origin) -> Result<Ceremony, CommandError> {
        let user = self.require_enroller(origin).await?;
        let party = self.settings().relying_party.as_ref().ok_or(Rejection::PasskeysOff)?;
        let state = self.read::<User>(user).await?;
        let names = self.open_user_names(user, &state).await?;
        let known = self.open_passkeys(user, &state).await?;
        let known: Vec<PasskeyCredential> = known.into_iter().map(|(_, it)| it).collect();
        // Says nothing of the person to whoever reads it off the device.
        let handle = self.keyring().digest("passkey-handle", &user.to_string());
        let begun = party
            .begin_enrolment(handle.as_bytes(), &names.email, &known)
            .map_err(|error| refused(&error))?;
        let expires_at = self.clock().now() + self.settings().challenge_for;
        let ticket = Ticket {
            id: self.clock().challenge_id(),
            user: Some(user),
            session: origin.session,
            state: Some(begun.state),
            expires_at,
        };
        let token = ticket.seal(TicketKind::PasskeyEnrolment, self.keyring());
        Ok(Ceremony { token, expires_at, options: begun.options })
    }

    /// Enrols the passkey that the browser made.
    pub async fn enrol_passkey(
        &self,
        origin: &Origin,
        token: &str,
        response: Value,
        name: FactorName,
    ) -> Result<Executed<Enrolled>, CommandError> {
        let user = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let party = self.settings().relying_party.as_ref().ok_or(Rejection::PasskeysOff)?;
        let now = self.clock().now();
        let ticket = Ticket::open(TicketKind::PasskeyEnrolment, self.keyring(), token, now)
            .filter(|ticket| ticket.user == Some(user) && ticket.session == origin.session)
            .ok_or(Rejection::ChallengeInvalid)?;
        let state = ticket.state.ok_or(Rejection::ChallengeInvalid)?;
        let (credential, signed) =
            party.finish_enrolment(&state, response).map_err(|error| refused(&error))?;
        if !signed.is_verified {
            return Err(Rejection::PasskeyWrong.into());
        }
        let case = Made {
            user,
            challenge: ticket.id,
            factor: FactorId::new(ticket.id.get()),
            name,
            credential,
            counter: signed.counter,
            codes: self.fresh_codes(user).await?,
        };
        self.execute(origin, &case).await
    }
}

impl UseCase for Made {
    type Outcome = Enrolled;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let at = unit.now();
        let user = unit.load::<User>(self.user).await?;
        let used = unit.load::<Challenge>(self.challenge).await?;
        let claim = claims::passkey(unit.commands().keyring(), self.credential.id());
        if unit.resolve(&claim).await?.is_some() {
            return Err(Rejection::PasskeyWrong.into());
        }
        let subject = Subject::User(self.user);
        let event = "user.passkey_enrolled";
        let name = unit.seal::<User>(subject, self.user, event, "name", self.name.as_str()).await?;
        let text = self.credential.to_text();
        let credential = unit.seal::<User>(subject, self.user, event, "credential", &text).await?;
        let counter = self.counter;
        let wish = PasskeyEnrolled { factor: self.factor, name, credential, counter, at };
        let events = enrol::decide(&user, Enrol::Passkey(wish), self.codes.digests.clone())?;
        unit.stage::<Challenge>(self.challenge, challenge::use_once(&used, self.user, at)?);
        unit.stage::<User>(self.user, events);
        unit.claim(claim, User::stream(self.user));
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Enrolled {
        Enrolled { factor: self.factor, recovery_codes: self.codes.shown(events) }
    }
}

fn refused(error: &keynest_crypto::PasskeyError) -> Rejection {
    tracing::info!(%error, "a passkey was refused");
    Rejection::PasskeyWrong
}
