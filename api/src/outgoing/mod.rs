//! The one client for HTTP that this product sends (DESIGN 11): only to configured origins, no redirects, no private
//! addresses, bounded size and time, and no patience with a host that keeps failing.

mod address;
mod breaker;
mod origin;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use url::Url;

use address::{PublicNames, Refused};
use breaker::Breaker;
pub use origin::{Origin, OriginInvalid};

/// Until an answer has arrived whole, from looking up the name on.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// Largest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Requests to one origin at a time; more are refused at once.
pub const REQUESTS_PER_ORIGIN_MAX: usize = 32;

/// What the configuration says about outgoing requests.
#[derive(Clone, Debug)]
pub struct OutgoingSettings {
    /// Until an answer has arrived whole.
    pub timeout: Duration,
    /// Origins that may be reached by plain HTTP and at private addresses, such as a provider in the same network.
    pub internal: Vec<Origin>,
}

impl Default for OutgoingSettings {
    fn default() -> Self {
        Self { timeout: TIMEOUT_DEFAULT, internal: Vec::new() }
    }
}

/// Why there is no answer. Says nothing of what was sent.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "variants are named after what happened")]
pub enum OutgoingError {
    #[error("the origin is not on the list of origins that may be asked")]
    NotAllowed,
    #[error("the host has a private address")]
    PrivateAddress,
    #[error("the host answered with a redirect")]
    Redirect,
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the answer took too long")]
    TimedOut,
    #[error("too many requests to this host at once")]
    Busy,
    #[error("the host failed too often and is left alone for a while")]
    Resting,
    #[error("the request failed")]
    Failed(#[source] reqwest::Error),
    #[error("the request is not valid")]
    Malformed,
}

/// All outgoing HTTP of a process. Clones share connections and counts.
#[derive(Clone)]
pub struct Outgoing(Arc<Inner>);

struct Inner {
    timeout: Duration,
    internal: Vec<Origin>,
    /// For everything that is not listed as internal: https, and names that lead to public addresses only.
    public: reqwest::Client,
    /// For internal origins.
    private: reqwest::Client,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
}

struct Host {
    slots: Arc<Semaphore>,
    breaker: Breaker,
}

/// The client of one purpose: it reaches these origins and no others.
#[derive(Clone)]
pub struct OutgoingClient {
    outgoing: Outgoing,
    allowed: Arc<[Origin]>,
}

impl Outgoing {
    /// Prepares the client; fails only without TLS roots.
    pub fn new(settings: OutgoingSettings) -> Result<Self, OutgoingError> {
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .timeout(settings.timeout)
                .user_agent("KeyNest")
        };
        let public = builder().https_only(true).dns_resolver(Arc::new(PublicNames)).build();
        Ok(Self(Arc::new(Inner {
            timeout: settings.timeout,
            internal: settings.internal,
            public: public.map_err(OutgoingError::Failed)?,
            private: builder().build().map_err(OutgoingError::Failed)?,
            hosts: Mutex::default(),
        })))
    }

    /// A client that reaches only these origins.
    pub fn client(&self, allowed: impl IntoIterator<Item = Origin>) -> OutgoingClient {
        OutgoingClient { outgoing: self.clone(), allowed: allowed.into_iter().collect() }
    }

    /// Whether an origin is configured as internal: plain HTTP and private addresses are fine there.
    pub fn is_internal(&self, origin: &Origin) -> bool {
        self.0.internal.contains(origin)
    }

    fn host(&self, origin: &Origin) -> Arc<Host> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(origin.clone()).or_insert_with(|| {
            let slots = Arc::new(Semaphore::new(REQUESTS_PER_ORIGIN_MAX));
            Arc::new(Host { slots, breaker: Breaker::default() })
        });
        Arc::clone(host)
    }
}

impl OutgoingClient {
    /// Sends a request and reads the whole answer, whatever its status, except a redirect.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, OutgoingError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| OutgoingError::Malformed)?;
        let origin = Origin::of(&url).ok_or(OutgoingError::NotAllowed)?;
        if !self.allowed.contains(&origin) {
            return Err(OutgoingError::NotAllowed);
        }
        let inner = &self.outgoing.0;
        let is_internal = self.outgoing.is_internal(&origin);
        if !is_internal && (url.scheme() != "https" || address::is_private_literal(&url)) {
            return Err(OutgoingError::PrivateAddress);
        }
        let host = self.outgoing.host(&origin);
        let _slot = host.slots.try_acquire().map_err(|_| OutgoingError::Busy)?;
        let trial = host.breaker.begin().ok_or(OutgoingError::Resting)?;
        let client = if is_internal { &inner.private } else { &inner.public };
        let request = reqwest::Request::try_from(request).map_err(OutgoingError::Failed)?;
        let answered = tokio::time::timeout(inner.timeout, exchange(client, request)).await;
        let answered = answered.unwrap_or(Err(OutgoingError::TimedOut));
        trial.end(answered.as_ref().is_ok_and(|answer| !answer.status().is_server_error()));
        answered
    }

    /// Asks for a document.
    pub async fn get(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<http::Response<Vec<u8>>, OutgoingError> {
        let mut request = http::Request::get(url).header("accept", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Vec::new()).map_err(|_| OutgoingError::Malformed)?).await
    }
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> Result<http::Response<Vec<u8>>, OutgoingError> {
    let mut answer = client.execute(request).await.map_err(failed)?;
    if answer.status().is_redirection() {
        return Err(OutgoingError::Redirect);
    }
    let length = answer.content_length().unwrap_or(0);
    if length > u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(OutgoingError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(OutgoingError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(body);
    *whole.status_mut() = answer.status();
    *whole.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(whole)
}

/// The URL of a request may hold what nobody else should read.
fn failed(error: reqwest::Error) -> OutgoingError {
    let error = error.without_url();
    if error.is_timeout() {
        return OutgoingError::TimedOut;
    }
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(source) = cause {
        if source.is::<Refused>() {
            return OutgoingError::PrivateAddress;
        }
        cause = source.source();
    }
    OutgoingError::Failed(error)
}

/// For the protocol libraries, which bring no client of their own.
impl<'c> oauth2::AsyncHttpClient<'c> for OutgoingClient {
    type Error = OutgoingError;
    type Future =
        Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
