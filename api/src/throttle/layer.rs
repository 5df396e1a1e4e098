//! A throttle on a route, in one line: `.route_layer(throttle.auth())`.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use keynest_domain::limits::Policy;
use tower::{Layer, Service};

use super::Throttle;
use crate::Problem;
use crate::middleware::{ClientAddress, RequestNotes};

/// Puts a policy in front of a route.
#[derive(Clone)]
pub struct ThrottleLayer {
    throttle: Throttle,
    policy: Policy,
}

/// The service of [`ThrottleLayer`].
#[derive(Clone)]
pub struct Throttled<S> {
    inner: S,
    throttle: Throttle,
    policy: Policy,
}

impl ThrottleLayer {
    pub(super) fn new(throttle: Throttle, policy: Policy) -> Self {
        Self { throttle, policy }
    }
}

impl<S> Layer<S> for ThrottleLayer {
    type Service = Throttled<S>;

    fn layer(&self, inner: S) -> Throttled<S> {
        Throttled { inner, throttle: self.throttle.clone(), policy: self.policy }
    }
}

impl<S> Service<Request> for Throttled<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that was asked whether it is ready is the one that is called.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let (throttle, policy) = (self.throttle.clone(), self.policy);
        Box::pin(async move {
            match check(&throttle, policy, &request).await {
                Ok(()) => inner.call(request).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

fn check(
    throttle: &Throttle,
    policy: Policy,
    request: &Request,
) -> impl Future<Output = Result<(), Problem>> + Send + use<> {
    let extensions = request.extensions();
    let address =
        extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0);
    let route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let notes = extensions.get::<RequestNotes>().cloned();
    let throttle = throttle.clone();
    async move { throttle.address(policy, address, &route, notes.as_ref()).await }
}
