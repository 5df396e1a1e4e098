//! One connection: hyper between the guarded stream and the application.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};

use super::activity::{Activity, InFlight};
use super::guard::Guard;
use super::limits::ServerLimits;
use super::request_body::RequestBody;
use super::stop::Stop;
use super::{Draining, PeerAddr};

/// How often a silent HTTP/2 peer is asked whether it is still there, and how long it may take to answer.
const HTTP2_PING: Duration = Duration::from_secs(20);

/// What all connections of a listener share.
pub struct Shared {
    pub limits: Arc<ServerLimits>,
    pub authorities: Arc<[String]>,
    pub builder: auto::Builder<TokioExecutor>,
    pub stop: Stop,
}

/// hyper, with every one of its own limits set.
pub fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The guard has the deadline, and an answer for those who miss it.
        .header_read_timeout(None)
        .max_headers(limits.headers_max)
        // hyper needs at least 8 KiB, and one byte more than the head, which the guard has measured.
        .max_buf_size(limits.head_bytes_max.max(8 * 1_024) + 1_024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.http2_streams_max)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING);
    builder
}

/// Serves a connection to its end.
pub async fn serve<S>(shared: Arc<Shared>, app: S, stream: TcpStream, peer: SocketAddr)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let activity = Activity::new();
    let (limits, authorities) = (Arc::clone(&shared.limits), Arc::clone(&shared.authorities));
    let guard = Guard::new(stream, Arc::clone(&limits), authorities, Arc::clone(&activity));
    let leave = shared.stop.leave.clone();
    let drain = shared.stop.drain.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = activity.begin();
        // HTTP/2 has no such header; its connections are told when the drain begins.
        let may_close = request.version() <= Version::HTTP_11;
        let mut request = prepared(request, &limits, peer);
        request.extensions_mut().insert(Draining(drain.clone()));
        let answer = app.clone().oneshot(request);
        let leave = leave.clone();
        async move {
            let mut answer = answer.await?;
            if may_close && leave.is_cancelled() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer.map(|body| Tracked { body, _in_flight: in_flight }))
        }
    });
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(guard), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shared.stop.now.cancelled() => return,
        () = shared.stop.drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = shared.stop.now.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        // Callers that break off are daily life; the error names no caller.
        tracing::debug!(error, "connection ended early");
    }
}

fn prepared(request: Request<Incoming>, limits: &ServerLimits, peer: SocketAddr) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let (body, limit) = RequestBody::new(body, limits);
    parts.extensions.insert(PeerAddr(peer));
    parts.extensions.insert(limit);
    Request::from_parts(parts, Body::new(body))
}

/// The body of an answer; its request is in flight until it is dropped.
struct Tracked {
    body: Body,
    _in_flight: InFlight,
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
