//! One provider, whichever way it speaks.

use keynest_commands::federation::Proof;
use keynest_domain::Timestamp;

use super::error::OAuthError;
use super::github::GitHub;
use super::oidc::Oidc;
use super::settings::{ProviderKind, ProviderSettings};
use super::trip::Trip;
use crate::outgoing::Outgoing;

/// A provider that is switched on.
pub struct Provider {
    /// As configured.
    pub settings: ProviderSettings,
    speaks: Speaks,
}

enum Speaks {
    Oidc(Box<Oidc>),
    GitHub(Box<GitHub>),
}

/// What a browser brought back from the provider.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Answer {
    pub code: String,
    /// RFC 9207: who says so.
    pub issuer: Option<String>,
}

impl Provider {
    /// Checks what was configured; asks nobody yet.
    pub fn new(settings: ProviderSettings, outgoing: &Outgoing) -> Result<Self, OAuthError> {
        if settings.client_id.is_empty() {
            return Err(OAuthError::Configuration("the client id is blank".to_owned()));
        }
        let speaks = match &settings.kind {
            ProviderKind::Oidc { .. } => Speaks::Oidc(Box::new(Oidc::new(&settings, outgoing)?)),
            ProviderKind::GitHub { .. } => {
                Speaks::GitHub(Box::new(GitHub::new(&settings, outgoing)?))
            }
        };
        Ok(Self { settings, speaks })
    }

    /// Where the browser goes to sign in.
    pub async fn authorize_url(
        &self,
        trip: &Trip,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.authorize_url(trip, redirect_uri, now).await,
            Speaks::GitHub(github) => github.authorize_url(trip, redirect_uri),
        }
    }

    /// What the provider proves for the code that a browser brought back from this trip.
    pub async fn prove_answer(
        &self,
        trip: &Trip,
        answer: Answer,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Proof, OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.prove_answer(trip, answer, redirect_uri, now).await,
            Speaks::GitHub(github) => github.prove_answer(trip, answer, redirect_uri).await,
        }
    }

    /// What an access token proves, once the provider said that it was issued to this application.
    pub async fn prove_access_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Proof, OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.prove_access_token(token, now).await,
            Speaks::GitHub(github) => github.prove_access_token(token).await,
        }
    }

    /// What an ID token proves that a client brought itself.
    pub async fn prove_id_token(&self, token: &str, now: Timestamp) -> Result<Proof, OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.prove_id_token(token, now).await,
            Speaks::GitHub(_) => {
                Err(OAuthError::NotValid("this provider has no ID tokens".to_owned()))
            }
        }
    }
}
