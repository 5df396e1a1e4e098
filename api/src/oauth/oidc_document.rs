//! A provider's own description and its keys, fetched when needed and kept for a while.

use keynest_domain::{Lifetime, Timestamp};
use openidconnect::IssuerUrl;
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::error::OAuthError;
use crate::outgoing::OutgoingClient;

/// How long a description is kept.
const DOCUMENT_LIFETIME: Lifetime = Lifetime::from_hours(1);
/// Between two looks for new keys, however many tokens name a key that is not known.
pub const KEYS_FETCHED_EVERY: Lifetime = Lifetime::from_minutes(1);

/// The description and the keys, as last seen.
#[derive(Clone)]
pub struct Document {
    pub metadata: CoreProviderMetadata,
    /// RFC 9207: whether every answer says who gives it.
    pub tells_issuer: bool,
    pub keys: CoreJsonWebKeySet,
    fetched_at: Timestamp,
    keys_fetched_at: Timestamp,
}

/// Fetches them, one request at a time.
pub struct Documents {
    issuer: IssuerUrl,
    client: OutgoingClient,
    known: Mutex<Option<Document>>,
}

#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Documents {
    pub fn new(issuer: IssuerUrl, client: OutgoingClient) -> Self {
        Self { issuer, client, known: Mutex::new(None) }
    }

    /// As kept, or fetched now.
    pub async fn get(&self, now: Timestamp) -> Result<Document, OAuthError> {
        let mut known = self.known.lock().await;
        if let Some(document) = &*known
            && now < document.fetched_at + DOCUMENT_LIFETIME
        {
            return Ok(document.clone());
        }
        let document = self.fetch(now).await?;
        *known = Some(document.clone());
        Ok(document)
    }

    /// With keys that are newer than those that lack one, if it is time for that.
    pub async fn with_newer_keys(&self, now: Timestamp) -> Result<Option<Document>, OAuthError> {
        let mut known = self.known.lock().await;
        let Some(document) = &mut *known else { return Ok(None) };
        if now < document.keys_fetched_at + KEYS_FETCHED_EVERY {
            return Ok(None);
        }
        // Also a failure counts, or a provider in trouble would be asked by everybody.
        document.keys_fetched_at = now;
        document.keys = self.keys(&document.metadata).await?;
        Ok(Some(document.clone()))
    }

    async fn fetch(&self, now: Timestamp) -> Result<Document, OAuthError> {
        let base = self.issuer.as_str().trim_end_matches('/');
        let answer =
            self.client.get(&format!("{base}/.well-known/openid-configuration"), &[]).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(OAuthError::Malformed(format!("status {}", answer.status())));
        }
        let malformed = |error: serde_json::Error| OAuthError::Malformed(error.to_string());
        let metadata: CoreProviderMetadata =
            serde_json::from_slice(answer.body()).map_err(malformed)?;
        let rest: Rest = serde_json::from_slice(answer.body()).map_err(malformed)?;
        if *metadata.issuer() != self.issuer {
            return Err(OAuthError::AnotherIssuer);
        }
        Ok(Document {
            keys: self.keys(&metadata).await?,
            metadata,
            tells_issuer: rest.authorization_response_iss_parameter_supported,
            fetched_at: now,
            keys_fetched_at: now,
        })
    }

    async fn keys(&self, metadata: &CoreProviderMetadata) -> Result<CoreJsonWebKeySet, OAuthError> {
        let fetched = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &self.client).await;
        fetched.map_err(|error| {
            if let openidconnect::DiscoveryError::Request(error) = error {
                return OAuthError::Outgoing(error);
            }
            OAuthError::Malformed(format!("its keys: {error}"))
        })
    }
}
