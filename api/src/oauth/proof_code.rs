//! What a browser carries from our callback to whoever redeems it: never tokens, only a code that is good once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_commands::federation::Proof;
use keynest_crypto::{Cursors, sha256};
use keynest_domain::{FederationId, Lifetime, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How long a code may take from the callback to its use.
pub const PROOF_CODE_LIFETIME: Lifetime = Lifetime::from_minutes(2);
/// What the encrypted code is for; another kind of token is never taken for it.
const KIND: &str = "oauth-proof";

/// A proof on its way. That it is used once is said by the trip's stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProofCode {
    pub trip: FederationId,
    pub proof: Proof,
    /// The digest of what the redeemer must know.
    pub challenge: Option<String>,
    /// Whose account and session may redeem it, to link; a sign-in otherwise.
    pub link: Option<(UserId, SessionId)>,
    pub expires_at: Timestamp,
}

impl ProofCode {
    /// The code's text, fit for a URL.
    pub fn seal(&self, cursors: &Cursors) -> String {
        let text = serde_json::to_vec(self).expect("texts and numbers are JSON");
        cursors.seal(KIND, &text)
    }

    /// A code of ours, in time, for whoever knows what its trip was begun with.
    pub fn open(
        cursors: &Cursors,
        text: &str,
        verifier: Option<&str>,
        now: Timestamp,
    ) -> Option<Self> {
        let code: Self = serde_json::from_slice(&cursors.open(KIND, text)?).ok()?;
        let is_known = match (&code.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => *challenge == challenge_of(verifier),
            // A verifier for a trip that had none: somebody else's trip.
            (None, Some(_)) | (Some(_), None) => false,
        };
        (is_known && now < code.expires_at).then_some(code)
    }
}

/// S256, as PKCE has it.
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}
