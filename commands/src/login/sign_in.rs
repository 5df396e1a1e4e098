//! What a sign-in gives: tokens, or the question for the second factor.

use keynest_domain::Timestamp;
use keynest_domain::session::SecondFactor;
use secrecy::SecretString;

use super::open_session::Opened;
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
}

impl SignIn {
    /// The tokens of what was opened.
    pub(crate) fn issue(commands: &Commands, opened: Opened) -> Result<Self, CommandError> {
        let Opened::Session(it) = opened;
        SignedIn::issue(commands, it.session, it.user, it.epoch, 0, it.refresh_key)
            .map(Self::Session)
    }

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
    pub(crate) fn sign_in(self, commands: &Commands) -> Result<Executed<SignIn>, CommandError> {
        let outcome = SignIn::issue(commands, self.outcome)?;
        Ok(Executed { position: self.position, outcome })
    }
}
