//! The body of a request: bounded in size and in the time that its bytes may take.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Request;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Duration, Instant, Sleep};
use tower::{Layer, Service};

use super::limits::ServerLimits;
use crate::Problem;

/// Why a body cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyFault {
    /// More bytes than the route takes, announced or sent.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    /// Too few bytes in too much time.
    #[error("the body arrives too slowly")]
    TooSlow,
    /// The connection broke or the framing did.
    #[error("the body breaks off")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

/// The size that this request's body may have, in bytes; an extension of the request. The innermost layer wins.
#[derive(Clone, Debug)]
pub struct BodyLimit(Arc<AtomicU64>);

impl BodyLimit {
    /// A limit for this request, in bytes, higher or lower than the default.
    pub fn set(&self, bytes_max: u64) {
        self.0.store(bytes_max, Ordering::Release);
    }
}

/// A route's own limit, see [`body_limit`].
#[derive(Clone, Copy, Debug)]
pub struct BodyLimitLayer(u64);

/// The service of [`BodyLimitLayer`].
#[derive(Clone, Copy, Debug)]
pub struct BodyLimited<S> {
    inner: S,
    bytes_max: u64,
}

/// A layer that gives a route its own limit, in bytes, higher or lower than the default.
pub fn body_limit(bytes_max: u64) -> BodyLimitLayer {
    BodyLimitLayer(bytes_max)
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = BodyLimited<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyLimited { inner, bytes_max: self.0 }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for BodyLimited<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        if let Some(limit) = request.extensions().get::<BodyLimit>() {
            limit.set(self.bytes_max);
        }
        self.inner.call(request)
    }
}

/// Reads a body to its end.
pub async fn read_body(body: Body) -> Result<Bytes, Problem> {
    body.collect().await.map(|all| all.to_bytes()).map_err(|error| body_problem(&error))
}

/// What to answer when a body could not be read. Looks for a [`BodyFault`] among the causes.
pub fn body_problem(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<BodyFault>() {
            Some(fault @ BodyFault::TooLarge(_)) => {
                return Problem::new("body_too_large").detail(fault.to_string());
            }
            Some(BodyFault::TooSlow) => return Problem::new("body_too_slow"),
            Some(BodyFault::Broken(_)) | None => cause = error.source(),
        }
    }
    Problem::new("invalid_body")
}

/// The body of a request, counted and timed.
pub struct RequestBody<B> {
    inner: B,
    limit: BodyLimit,
    received: u64,
    stall: Duration,
    pace_min: u32,
    /// Time that went by while the next bytes were awaited, without the present wait.
    waited: Duration,
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> RequestBody<B> {
    pub fn new(inner: B, limits: &ServerLimits) -> (Self, BodyLimit) {
        let limit = BodyLimit(Arc::new(AtomicU64::new(limits.body_bytes_max)));
        let body = Self {
            inner,
            limit: limit.clone(),
            received: 0,
            stall: limits.body_stall,
            pace_min: limits.body_pace_min.max(1),
            waited: Duration::ZERO,
            wait: None,
        };
        (body, limit)
    }

    /// The waits may add up to the stall, and to the time that the bytes so far take at the slowest pace.
    /// One wait may never be longer than the stall.
    fn patience(&self) -> Duration {
        let earned = Duration::from_secs(self.received / u64::from(self.pace_min));
        (self.stall + earned).saturating_sub(self.waited).min(self.stall)
    }
}

impl<B> http_body::Body for RequestBody<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = self.get_mut();
        let limit = this.limit.0.load(Ordering::Acquire);
        if this.received.saturating_add(this.inner.size_hint().lower()) > limit {
            return Poll::Ready(Some(Err(BodyFault::TooLarge(limit))));
        }
        let Poll::Ready(next) = Pin::new(&mut this.inner).poll_frame(cx) else {
            let patience = this.patience();
            let (_, timer) = this
                .wait
                .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(patience))));
            return timer.as_mut().poll(cx).map(|()| Some(Err(BodyFault::TooSlow)));
        };
        if let Some((began, _)) = this.wait.take() {
            this.waited += began.elapsed();
        }
        Poll::Ready(next.map(|frame| {
            let frame = frame.map_err(|error| BodyFault::Broken(error.into()))?;
            this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            if this.received > limit { Err(BodyFault::TooLarge(limit)) } else { Ok(frame) }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
