//! The keys of issuers whose tokens may be exchanged: found by discovery, kept for an hour, asked for again at most once a
//! minute when a token names a key that is not among them.

use std::collections::HashMap;
use std::sync::Arc;

use keynest_crypto::{ForeignKeys, ForeignToken, ForeignTokenError};
use keynest_domain::{Lifetime, Timestamp};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::app::ExchangeSettings;
use crate::outgoing::{Origin, Outgoing, OutgoingClient, OutgoingError};

/// How long published keys are believed.
pub const KEYS_KEPT_FOR: Lifetime = Lifetime::from_hours(1);
/// Between two questions for keys.
pub const KEYS_ASKED_EVERY: Lifetime = Lifetime::from_minutes(1);

/// The configured issuers. Clones share what is known of them.
#[derive(Clone)]
pub struct Issuers(Arc<Inner>);

struct Inner {
    /// None if nothing may be asked: exchanges are switched off.
    client: Option<OutgoingClient>,
    known: HashMap<String, Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    keys: Option<(ForeignKeys, Timestamp)>,
    asked_at: Option<Timestamp>,
}

/// Why a token was not checked or is not good.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The server is not configured to trust it.
    #[error("the issuer is not a trusted one")]
    NotTrusted,
    /// The token itself.
    #[error(transparent)]
    Token(#[from] ForeignTokenError),
    /// The issuer's documents cannot be had.
    #[error("ask the issuer for its keys")]
    Unreachable(#[source] OutgoingError),
    /// The issuer's documents are not what they should be.
    #[error("the issuer's documents are not valid: {0}")]
    BadDocument(&'static str),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuers {
    /// Nothing is asked yet. An issuer that is no web address is left out, and said so.
    pub fn new(settings: &ExchangeSettings, outgoing: Option<&Outgoing>) -> Self {
        let origins: Vec<Origin> = settings.issuers.iter().filter_map(|it| origin(it)).collect();
        if origins.len() < settings.issuers.len() {
            tracing::error!("an issuer in exchange.issuers is no web address; it is left out");
        }
        if outgoing.is_none() && !settings.issuers.is_empty() {
            tracing::warn!("tokens of other issuers are not exchanged: there is no outgoing HTTP");
        }
        let client =
            outgoing.filter(|_| !origins.is_empty()).map(|outgoing| outgoing.client(origins));
        let known = settings.issuers.iter().map(|issuer| (issuer.clone(), Mutex::default()));
        Self(Arc::new(Inner { client, known: known.collect() }))
    }

    /// Checks a token of an issuer. `audience` is this instance.
    pub async fn verify(
        &self,
        issuer: &str,
        audience: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<ForeignToken, IssuerError> {
        let known = self.0.known.get(issuer).ok_or(IssuerError::NotTrusted)?;
        // One question at a time: whoever waits finds the answer of the first.
        let mut known = known.lock().await;
        let is_fresh = |(_, at): &(ForeignKeys, Timestamp)| now < *at + KEYS_KEPT_FOR;
        if !known.keys.as_ref().is_some_and(is_fresh) {
            self.refresh(issuer, &mut known, now).await?;
        }
        let Some((keys, _)) = &known.keys else { return Err(ForeignTokenError::UnknownKey.into()) };
        match keys.verify(text, issuer, audience, now) {
            Err(ForeignTokenError::UnknownKey) => {}
            verdict => return Ok(verdict?),
        }
        if known.asked_at.is_some_and(|at| now < at + KEYS_ASKED_EVERY) {
            return Err(ForeignTokenError::UnknownKey.into());
        }
        self.refresh(issuer, &mut known, now).await?;
        let Some((keys, _)) = &known.keys else { return Err(ForeignTokenError::UnknownKey.into()) };
        Ok(keys.verify(text, issuer, audience, now)?)
    }

    async fn refresh(
        &self,
        issuer: &str,
        known: &mut Known,
        now: Timestamp,
    ) -> Result<(), IssuerError> {
        known.asked_at = Some(now);
        known.keys = Some((self.fetch(issuer).await?, now));
        Ok(())
    }

    async fn fetch(&self, issuer: &str) -> Result<ForeignKeys, IssuerError> {
        let found = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let found = self.document(&found).await?;
        let found: Discovery = serde_json::from_slice(&found).map_err(|_| {
            IssuerError::BadDocument("discovery is not JSON with issuer and jwks_uri")
        })?;
        if found.issuer != issuer {
            return Err(IssuerError::BadDocument("discovery names another issuer"));
        }
        if origin(&found.jwks_uri) != origin(issuer) {
            return Err(IssuerError::BadDocument("the keys are on another host"));
        }
        let keys = self.document(&found.jwks_uri).await?;
        ForeignKeys::parse(&keys).ok_or(IssuerError::BadDocument("the keys are no JWK set"))
    }

    async fn document(&self, url: &str) -> Result<Vec<u8>, IssuerError> {
        let client = self.0.client.as_ref().ok_or(IssuerError::NotTrusted)?;
        let answer = client.get(url, &[]).await.map_err(IssuerError::Unreachable)?;
        if answer.status() == 200 {
            Ok(answer.into_body())
        } else {
            Err(IssuerError::BadDocument("the answer is not 200"))
        }
    }
}

fn origin(url: &str) -> Option<Origin> {
    Origin::of(&Url::parse(url).ok()?)
}
