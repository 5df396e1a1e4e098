//! What a ceremony needs to be finished, sealed and carried by the caller, so that any replica can finish it.

use keynest_crypto::{Cursors, Keyring};
use keynest_domain::{ChallengeId, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What a ticket is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TicketKind {
    SignIn,
    PasskeySignIn,
    Reauthentication,
    TotpEnrolment,
    PasskeyEnrolment,
}

/// One ceremony. Its one use is an event on the stream of its id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub id: ChallengeId,
    /// Whose it is; nobody's yet for a sign-in with a passkey alone.
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    /// The passkey ceremony's state, or the secret of an app that is not confirmed yet.
    pub state: Option<String>,
    pub expires_at: Timestamp,
}

impl TicketKind {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "ticket/sign-in",
            Self::PasskeySignIn => "ticket/passkey-sign-in",
            Self::Reauthentication => "ticket/reauthentication",
            Self::TotpEnrolment => "ticket/totp-enrolment",
            Self::PasskeyEnrolment => "ticket/passkey-enrolment",
        }
    }
}

impl Ticket {
    /// For the caller to carry.
    pub fn seal(&self, kind: TicketKind, keyring: &Keyring) -> SecretString {
        let bytes = serde_json::to_vec(self).expect("ids and texts are always JSON");
        Cursors::new(keyring.clone()).seal(kind.name(), &bytes).into()
    }

    /// `None` for what was not made here for this purpose, or too long ago.
    pub fn open(kind: TicketKind, keyring: &Keyring, text: &str, now: Timestamp) -> Option<Self> {
        let bytes = Cursors::new(keyring.clone()).open(kind.name(), text)?;
        let ticket: Self = serde_json::from_slice(&bytes).ok()?;
        (now < ticket.expires_at).then_some(ticket)
    }
}
