//! The outermost service: one function that each request passes from top to bottom.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body::Body as _;
use time::OffsetDateTime;
use tower::{Service, ServiceExt};
use tracing::Instrument;
use uuid::Uuid;

use super::client_address::Proxies;
use super::cors::CorsOrigins;
use super::notes::RequestNotes;
use super::request_identity::{REQUEST_ID, RequestIdentity};
use super::{fixed_headers, metrics, routes};
use crate::Problem;
use crate::server::PeerAddr;
use crate::throttle;

/// How long a request may take until its answer begins, unless configured otherwise.
pub const REQUEST_TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
const X_TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
const X_RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS");

/// Time and ids, which come from outside.
#[derive(Clone)]
pub struct Clock {
    /// The present.
    pub now: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// A fresh UUIDv7.
    pub request_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

/// What the edge is told.
#[derive(Clone)]
pub struct EdgeConfig {
    /// Who may read answers in a browser.
    pub origins: CorsOrigins,
    /// Whether clients reach the server by https, so that HSTS makes sense.
    pub is_https: bool,
    /// Who may tell the client's address.
    pub proxies: Proxies,
    /// Until the answer begins.
    pub request_timeout: Duration,
    /// Time and ids.
    pub clock: Clock,
}

/// The application with everything around it; give it to `server::serve`.
#[derive(Clone)]
pub struct Edge {
    routes: Router,
    config: Arc<EdgeConfig>,
}

impl fmt::Debug for Edge {
    /// The routes, for the test that compares them with the description.
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.debug_struct("Edge").field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl Edge {
    /// Wraps the routes, which must not have a fallback.
    pub fn new(routes: Router, config: EdgeConfig) -> Self {
        // The server bounds bodies, with `body_limit` per route; axum's own limit would only be a second opinion.
        let routes = routes::both_slashes(routes.layer(DefaultBodyLimit::disable()));
        Self { routes, config: Arc::new(config) }
    }

    async fn handle(self, mut request: Request<Body>) -> Response {
        let began = Instant::now();
        let Self { routes, config } = self;
        let identity = RequestIdentity::of(request.headers(), &*config.clock.request_id);
        let peer = request.extensions().get::<PeerAddr>().map(|peer| peer.0);
        let client = config.proxies.client(peer, request.headers());
        let origin = config.origins.known(request.headers());
        let is_preflight = CorsOrigins::is_preflight(request.method(), request.headers());
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let notes = RequestNotes::default();
        let extensions = request.extensions_mut();
        extensions.insert(identity.clone());
        extensions.insert(client);
        extensions.insert(notes.clone());

        let span = tracing::info_span!(
            "request",
            request.id = &*identity.text,
            method = metrics::known(&method)
        );
        let response = match refused(&request) {
            Some(problem) => problem.into_response(),
            None if is_preflight => StatusCode::NO_CONTENT.into_response(),
            None => {
                answered(routes, request, config.request_timeout).instrument(span.clone()).await
            }
        };
        let response = routes::method_not_allowed(&method, response);
        let mut response = finished(&method, completed(response, &path, &identity));

        let took = began.elapsed();
        let now = (config.clock.now)();
        let headers = response.headers_mut();
        fixed_headers::set(headers, config.is_https);
        CorsOrigins::set(origin, is_preflight, headers);
        throttle::set_headers(&notes.standings(), now.unix_timestamp(), headers);
        set(headers, REQUEST_ID, &identity.text);
        set(headers, X_TIMESTAMP, &timestamp(now));
        set(headers, X_RESPONSE_TIME, &format!("{}ms", took.as_millis()));
        metrics::count(&method, notes.route(), response.status(), took);
        span.in_scope(|| log(&method, notes.route(), response.status(), took, &identity));
        response
    }
}

impl Service<Request<Body>> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().handle(request).map(Ok))
    }
}

/// What no route is asked for: unknown methods, and HTTP/2 requests that name two servers or none. For HTTP/1
/// the guard on the stream has looked at `Host`.
fn refused(request: &Request<Body>) -> Option<Problem> {
    if metrics::known(request.method()) == "other" {
        return Some(Problem::new("method_not_allowed").allow(METHODS));
    }
    if request.version() != Version::HTTP_2 {
        return None;
    }
    let named = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let mut hosts = request.headers().get_all(HOST).iter().map(HeaderValue::as_bytes);
    let is_clear = match (named, hosts.next(), hosts.next()) {
        (Some(named), Some(host), None) => named.eq_ignore_ascii_case(host),
        (Some(_), None, None) | (None, Some(_), None) => true,
        (Some(_) | None, _, _) => false,
    };
    (!is_clear).then(|| Problem::new("bad_request").detail("exactly one authority is required"))
}

async fn answered(routes: Router, request: Request<Body>, deadline: Duration) -> Response {
    let work = AssertUnwindSafe(routes.oneshot(request)).catch_unwind();
    match tokio::time::timeout(deadline, work).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(panic)) => panicked(&*panic).into_response(),
        Err(_) => Problem::new("timed_out").into_response(),
    }
}

/// The message of a panic may hold anything, so that only its type is looked at.
fn panicked(panic: &(dyn Any + Send)) -> Problem {
    let has_text = panic.is::<&str>() || panic.is::<String>();
    tracing::error!(has_text, "a handler panicked");
    Problem::new("internal")
}

/// Writes the body of a problem again, with what only the edge knows.
fn completed(mut response: Response, path: &str, identity: &RequestIdentity) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let body = problem.body(Some(path), Some(&identity.text)).to_string();
    response.headers_mut().remove(CONTENT_LENGTH);
    response.map(|_| Body::from(body))
}

/// `HEAD` has the headers of `GET` and no body, also where no route answered.
fn finished(method: &Method, mut response: Response) -> Response {
    if method != Method::HEAD {
        return response;
    }
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|length| *length > 0) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response.map(|_| Body::empty())
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

/// ISO 8601 with microseconds and `+00:00` (CONTRACT 1.0).
fn timestamp(now: OffsetDateTime) -> String {
    let (date, clock) = (now.date(), now.time());
    let (hour, minute, second, micros) = clock.as_hms_micro();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00")
}

/// One line per request. The route, not the path; nothing that a caller wrote but the id, which was checked.
fn log(
    method: &Method,
    route: &str,
    status: StatusCode,
    took: Duration,
    identity: &RequestIdentity,
) {
    tracing::info!(
        method = metrics::known(method),
        route,
        status = status.as_u16(),
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        request_id = &*identity.text,
        "request"
    );
}
