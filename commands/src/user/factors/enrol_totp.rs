//! Add an authenticator app: a secret is offered, and counts once a code of it came back.

use keynest_crypto::{Subject, TotpSecret};
use keynest_domain::challenge::{self, Challenge};
use keynest_domain::user::factors::TotpEnrolled;
use keynest_domain::user::factors::enrol::{self, Enrol};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{ChallengeId, Event, FactorId, FactorName, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};

use super::Enrolled;
use super::recovery_codes::FreshCodes;
use crate::login::{Ticket, TicketKind};
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

const ISSUER: &str = "KeyNest";

/// A secret that is not enrolled yet.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TotpOffer {
    /// Names the offer in its confirmation.
    pub token: SecretString,
    /// In base 32, for people who type it.
    pub secret: SecretString,
    /// For a QR code.
    pub uri: SecretString,
    pub expires_at: Timestamp,
}

struct Confirmed {
    user: UserId,
    challenge: ChallengeId,
    factor: FactorId,
    name: FactorName,
    secret: SecretString,
    step: u64,
    codes: FreshCodes,
}

impl Commands {
    /// Offers a secret to the caller, freshly authenticated. Nothing is written.
    pub async fn begin_totp(&self, origin: &Origin) -> Result<TotpOffer, CommandError> {
        let user = self.require_enroller(origin).await?;
        let state = self.read::<User>(user).await?;
        let names = self.open_user_names(user, &state).await?;
        let secret = TotpSecret::generate();
        let expires_at = self.clock().now() + self.settings().challenge_for;
        let ticket = Ticket {
            id: self.clock().challenge_id(),
            user: Some(user),
            session: origin.session,
            state: Some(secret.to_base32().to_string()),
            expires_at,
        };
        Ok(TotpOffer {
            token: ticket.seal(TicketKind::TotpEnrolment, self.keyring()),
            secret: secret.to_base32().as_str().into(),
            uri: secret.uri(ISSUER, &names.email).as_str().into(),
            expires_at,
        })
    }

    /// Enrols the app that made this code.
    pub async fn enrol_totp(
        &self,
        origin: &Origin,
        token: &str,
        code: &SecretString,
        name: FactorName,
    ) -> Result<Executed<Enrolled>, CommandError> {
        let user = origin.actor.ok_or(CommandError::Absent("actor"))?;
        let now = self.clock().now();
        let ticket = Ticket::open(TicketKind::TotpEnrolment, self.keyring(), token, now)
            .filter(|ticket| ticket.user == Some(user) && ticket.session == origin.session)
            .ok_or(Rejection::ChallengeInvalid)?;
        let text = ticket.state.ok_or(Rejection::ChallengeInvalid)?;
        let secret = TotpSecret::parse(&text).ok_or(Rejection::ChallengeInvalid)?;
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let step = secret.check(code.expose_secret(), seconds).ok_or(Rejection::CodeWrong)?;
        let case = Confirmed {
            user,
            challenge: ticket.id,
            factor: FactorId::new(ticket.id.get()),
            name,
            secret: text.into(),
            step,
            codes: self.fresh_codes(user).await?,
        };
        self.execute(origin, &case).await
    }

    /// The caller, who may change factors now.
    pub(super) async fn require_enroller(&self, origin: &Origin) -> Result<UserId, CommandError> {
        let user = origin.actor.ok_or(CommandError::Absent("actor"))?;
        Unit::new(self, origin, true).require_fresh_sign_in().await?;
        Ok(user)
    }
}

impl UseCase for Confirmed {
    type Outcome = Enrolled;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let at = unit.now();
        let user = unit.load::<User>(self.user).await?;
        let used = unit.load::<Challenge>(self.challenge).await?;
        let subject = Subject::User(self.user);
        let event = "user.totp_enrolled";
        let name = unit.seal::<User>(subject, self.user, event, "name", self.name.as_str()).await?;
        let secret = self.secret.expose_secret();
        let secret = unit.seal::<User>(subject, self.user, event, "secret", secret).await?;
        let wish = TotpEnrolled { factor: self.factor, name, secret, step: self.step, at };
        let events = enrol::decide(&user, Enrol::Totp(wish), self.codes.digests.clone())?;
        unit.stage::<Challenge>(self.challenge, challenge::use_once(&used, self.user, at)?);
        unit.stage::<User>(self.user, events);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Enrolled {
        Enrolled { factor: self.factor, recovery_codes: self.codes.shown(events) }
    }
}
