//! A browser on its way to a provider: what it must bring back, in a cookie that says nothing to it.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_crypto::{Cursors, random};
use keynest_domain::{FederationId, Lifetime, ProviderName, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How long somebody may take to sign in at the provider.
pub const TRIP_LIFETIME: Lifetime = Lifetime::from_minutes(10);
/// What the encrypted cookie is for; another kind of token is never taken for it.
const KIND: &str = "oauth-trip";
/// Bound to this very host by browsers, over TLS only.
const COOKIE_HOST: &str = "__Host-keynest_oauth";
/// Where there is no TLS, which is on a loopback address.
const COOKIE_PLAIN: &str = "keynest_oauth";

/// One way to a provider and back. Lives in the browser only, encrypted.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Trip {
    pub id: FederationId,
    pub provider: ProviderName,
    /// Comes back beside the code, and is compared with the cookie's.
    pub state: String,
    /// Comes back inside of the ID token.
    pub nonce: String,
    /// PKCE: its digest goes with the browser, itself only from server to server.
    pub verifier: String,
    /// The digest of what whoever redeems the proof must know.
    pub challenge: Option<String>,
    /// Whose account and session began it, to link.
    pub link: Option<(UserId, SessionId)>,
    pub expires_at: Timestamp,
}

impl Trip {
    /// A trip that begins now.
    pub fn begin(
        id: FederationId,
        provider: ProviderName,
        challenge: Option<String>,
        link: Option<(UserId, SessionId)>,
        now: Timestamp,
    ) -> Self {
        let secret = || URL_SAFE_NO_PAD.encode(random::secret::<32>().as_ref());
        Self {
            id,
            provider,
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            challenge,
            link,
            expires_at: now + TRIP_LIFETIME,
        }
    }

    /// The `Set-Cookie` that binds the trip to this browser.
    pub fn cookie(&self, cursors: &Cursors, is_https: bool) -> HeaderValue {
        let text = serde_json::to_vec(self).expect("texts and numbers are JSON");
        set_cookie(&cursors.seal(KIND, &text), TRIP_LIFETIME, is_https)
    }

    /// The `Set-Cookie` that ends it.
    pub fn end(is_https: bool) -> HeaderValue {
        set_cookie("", Lifetime::from_secs(0), is_https)
    }

    /// The trip that this browser is on, if it brings back what it took along.
    pub fn of_browser(
        headers: &HeaderMap,
        cursors: &Cursors,
        is_https: bool,
        provider: &ProviderName,
        state: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let name = name(is_https);
        let sealed = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
        let trip: Self = serde_json::from_slice(&cursors.open(KIND, sealed)?).ok()?;
        let is_it = trip.state == state && trip.provider == *provider && now < trip.expires_at;
        is_it.then_some(trip)
    }
}

fn name(is_https: bool) -> &'static str {
    if is_https { COOKIE_HOST } else { COOKIE_PLAIN }
}

fn set_cookie(value: &str, lifetime: Lifetime, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        name(is_https),
        lifetime.secs()
    );
    HeaderValue::from_str(&text).expect("a token in base64url fits into a header")
}

/// Secrets do not print.
impl std::fmt::Debug for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trip").field("provider", &self.provider).finish_non_exhaustive()
    }
}
