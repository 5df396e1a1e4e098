//! Allows a browser, which shows no token when it is sent somewhere, to begin a link for a session.

use keynest_crypto::Cursors;
use keynest_domain::{Lifetime, ProviderName, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How long the browser may take until it is on its way.
const TICKET_LIFETIME: Lifetime = Lifetime::from_minutes(2);
/// What the encrypted ticket is for; another kind of token is never taken for it.
const KIND: &str = "oauth-link";

/// Whose account and session want a link to a provider.
#[derive(Serialize, Deserialize)]
pub struct LinkTicket {
    pub provider: ProviderName,
    pub user: UserId,
    pub session: SessionId,
    pub expires_at: Timestamp,
}

impl LinkTicket {
    /// The ticket's text, fit for a URL.
    pub fn seal(
        cursors: &Cursors,
        provider: ProviderName,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> String {
        let ticket = Self { provider, user, session, expires_at: now + TICKET_LIFETIME };
        let text = serde_json::to_vec(&ticket).expect("texts and numbers are JSON");
        cursors.seal(KIND, &text)
    }

    /// Whose it is, if it is one of ours, for this provider, in time.
    pub fn open(
        cursors: &Cursors,
        text: &str,
        provider: &ProviderName,
        now: Timestamp,
    ) -> Option<(UserId, SessionId)> {
        let ticket: Self = serde_json::from_slice(&cursors.open(KIND, text)?).ok()?;
        let is_good = ticket.provider == *provider && now < ticket.expires_at;
        is_good.then_some((ticket.user, ticket.session))
    }
}
