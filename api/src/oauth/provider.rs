//! One provider, whichever way it speaks.

use keynest_commands::federation::Proof;
use keynest_domain::Timestamp;
use keynest_domain::provider::Provider as Managed;

use super::error::OAuthError;
use super::github::GitHub;
use super::oidc::Oidc;
use super::registry::Version;
use super::settings::{ProviderKind, ProviderSettings};
use super::trip::Trip;
use crate::outgoing::Outgoing;

/// A provider that is switched on.
pub struct Provider {
    /// As configured.
    pub settings: ProviderSettings,
    /// Of one that an administrator set up.
    version: Option<Version>,
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
    pub fn new(
        settings: ProviderSettings,
        version: Option<Version>,
        outgoing: &Outgoing,
    ) -> Result<Self, OAuthError> {
        if settings.client_id.is_empty() {
            return Err(OAuthError::Configuration("the client id is blank".to_owned()));
        }
        let speaks = match &settings.kind {
            ProviderKind::Oidc { .. } => Speaks::Oidc(Box::new(Oidc::new(&settings, outgoing)?)),
            ProviderKind::GitHub { .. } => {
                Speaks::GitHub(Box::new(GitHub::new(&settings, outgoing)?))
            }
        };
        Ok(Self { settings, version, speaks })
    }

    /// Asks who it is: an issuer that is what it says, and names only hosts that may be asked.
    pub async fn check(&self, now: Timestamp) -> Result<(), OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.check(now).await,
            Speaks::GitHub(_) => Ok(()),
        }
    }

    /// Whose identities it proves.
    pub fn issuer(&self) -> &str {
        match &self.settings.kind {
            ProviderKind::Oidc { issuer, .. } => issuer,
            ProviderKind::GitHub { web, .. } => web.trim_end_matches('/'),
        }
    }

    /// Whether it was made from what an administrator set up, as it stands now.
    pub fn is_as_of(&self, managed: &Managed) -> bool {
        self.version == Some((managed.id, managed.changed_at))
    }

    /// Its proofs count as long as it is there.
    fn signed(&self, proof: Proof) -> Proof {
        Proof { managed: self.version.map(|(id, _)| id), ..proof }
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
        .map(|proof| self.signed(proof))
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
        .map(|proof| self.signed(proof))
    }

    /// What an ID token proves that a client brought itself.
    pub async fn prove_id_token(&self, token: &str, now: Timestamp) -> Result<Proof, OAuthError> {
        match &self.speaks {
            Speaks::Oidc(oidc) => oidc.prove_id_token(token, now).await,
            Speaks::GitHub(_) => {
                Err(OAuthError::NotValid("this provider has no ID tokens".to_owned()))
            }
        }
        .map(|proof| self.signed(proof))
    }
}
