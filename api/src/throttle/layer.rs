//! A throttle on a route, in one line: `.route_layer(throttle.auth())`.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures::future::Either;
use std::future::{Ready, ready};
use tower::{Layer, Service};

use super::{Policy, Throttle};
use crate::Problem;
use crate::middleware::{ClientAddress, RequestNotes};

/// Keyed anew in each process, so that nobody can choose routes that collide.
static ROUTES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

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

impl<S: Service<Request, Response = Response, Error = Infallible>> Service<Request>
    for Throttled<S>
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.check(&request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(problem) => Either::Right(ready(Ok(problem.into_response()))),
        }
    }
}

impl<S> Throttled<S> {
    fn check(&self, request: &Request) -> Result<(), Problem> {
        let extensions = request.extensions();
        let address =
            extensions.get::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0);
        let pattern = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let route = ROUTES.hash_one(pattern);
        self.throttle.address(self.policy, address, route, extensions.get::<RequestNotes>())
    }
}
