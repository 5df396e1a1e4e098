//! Why a provider's word is not taken.

use crate::Problem;
use crate::outgoing::OutgoingError;

/// What went wrong with a provider. The text is for the log; callers hear a code only.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "variants are named after what happened")]
pub enum OAuthError {
    #[error("the configuration is not usable: {0}")]
    Configuration(String),
    #[error("ask the provider")]
    Outgoing(#[from] OutgoingError),
    #[error("the provider's answer is not understood: {0}")]
    Malformed(String),
    #[error("the document is another issuer's")]
    AnotherIssuer,
    #[error("it names the host {0}, which is not listed")]
    NotListed(String),
    #[error("the provider refuses: {0}")]
    Refused(String),
    #[error("the proof is not valid: {0}")]
    NotValid(String),
}

impl From<OAuthError> for Problem {
    fn from(error: OAuthError) -> Self {
        let code = match &error {
            OAuthError::Configuration(_) => "oauth_provider_unknown",
            OAuthError::Outgoing(_)
            | OAuthError::Malformed(_)
            | OAuthError::AnotherIssuer
            | OAuthError::NotListed(_) => "oauth_provider_unavailable",
            OAuthError::Refused(_) | OAuthError::NotValid(_) => "oauth_proof_invalid",
        };
        Self::new(code).caused_by(&error)
    }
}
