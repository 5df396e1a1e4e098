//! What a sign-in gives: tokens, or the question for the second factor.

use keynest_crypto::PasskeyCredential;
use keynest_domain::session::SecondFactor;
use keynest_domain::user::{Rejection, User};
use keynest_domain::{ChallengeId, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde_json::Value;

use super::open_session::Opened;
use super::ticket::{Ticket, TicketKind};
use crate::session::SignedIn;
use crate::{CommandError, Commands, Executed};

/// The outcome of a proved first factor.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// A session began.
    Session(SignedIn),
    /// The account has a second factor: nothing began yet.
    Challenge(Challenge),
}

/// The question for the second factor.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Challenge {
    /// Names the question in the answer to it.
    pub token: SecretString,
    /// What would answer it.
    pub kinds: Vec<SecondFactor>,
    pub expires_at: Timestamp,
    /// For the browser, where the account has a passkey.
    pub passkey_options: Option<Value>,
}

/// A passkey ceremony that began.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Ceremony {
    /// Names it in its end.
    pub token: SecretString,
    pub expires_at: Timestamp,
    /// For the browser.
    pub options: Value,
}

impl SignIn {
    /// The session, unless a second factor is asked for first.
    pub fn session(self) -> Option<SignedIn> {
        match self {
            Self::Session(signed_in) => Some(signed_in),
            Self::Challenge(_) => None,
        }
    }
}

impl Executed<Opened> {
    /// The same with tokens.
    pub(crate) async fn sign_in(
        self,
        commands: &Commands,
    ) -> Result<Executed<SignIn>, CommandError> {
        let outcome = match self.outcome {
            Opened::Session(it) => SignIn::Session(SignedIn::issue(
                commands,
                it.session,
                it.user,
                it.epoch,
                0,
                it.refresh_key,
            )?),
            Opened::Challenge(it) => {
                SignIn::Challenge(commands.ask(it.challenge, it.user, it.expires_at).await?)
            }
        };
        Ok(Executed { position: self.position, outcome })
    }
}

impl Commands {
    async fn ask(
        &self,
        id: ChallengeId,
        user: UserId,
        expires_at: Timestamp,
    ) -> Result<Challenge, CommandError> {
        let state = self.read::<User>(user).await?;
        let known = self.open_passkeys(user, &state).await?;
        let known: Vec<PasskeyCredential> = known.into_iter().map(|(_, it)| it).collect();
        let begun = match &self.settings().relying_party {
            Some(party) if !known.is_empty() => party.begin(&known).ok(),
            Some(_) | None => None,
        };
        let (passkey_options, state_of_passkey) =
            begun.map(|begun| (begun.options, begun.state)).unzip();
        let ticket =
            Ticket { id, user: Some(user), session: None, state: state_of_passkey, expires_at };
        let token = ticket.seal(TicketKind::SignIn, self.keyring());
        Ok(Challenge { token, kinds: state.factors.kinds(), expires_at, passkey_options })
    }

    /// Begins a ceremony in which a passkey signs.
    pub(crate) fn ceremony(
        &self,
        kind: TicketKind,
        user: Option<UserId>,
        session: Option<SessionId>,
        known: &[PasskeyCredential],
    ) -> Result<Ceremony, CommandError> {
        let party = self.settings().relying_party.as_ref().ok_or(Rejection::PasskeysOff)?;
        let begun = party.begin(known).map_err(|error| {
            tracing::warn!(%error, "no passkey can be asked for");
            Rejection::PasskeyWrong
        })?;
        let expires_at = self.clock().now() + self.settings().challenge_for;
        let id = self.clock().challenge_id();
        let ticket = Ticket { id, user, session, state: Some(begun.state), expires_at };
        let token = ticket.seal(kind, self.keyring());
        Ok(Ceremony { token, expires_at, options: begun.options })
    }
}
