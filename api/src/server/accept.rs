//! The accept loop. It never ends because of an error.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::caps::Caps;
use super::connection::{self, Shared};
use super::limits::ServerOptions;
use super::stop::Stop;

/// The first pause after an error; doubled up to `ServerLimits::accept_pause_max`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request that had begun was answered.
    Finished,
    /// Time was up, or the second signal came.
    CutOff,
}

/// Where connections come from.
pub trait Listener: Send {
    /// The next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Listener for TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

/// Serves until told to stop, then drains.
pub async fn serve<L, S>(mut listener: L, app: S, options: ServerOptions, stop: Stop) -> Drained
where
    L: Listener,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let limits = Arc::new(options.limits);
    let seats = Arc::new(Semaphore::new(limits.connections_max));
    let caps = Caps::new(limits.connections_per_address_max, options.uncounted);
    let tasks = TaskTracker::new();
    // Time running out must not look like the second signal to others that share it.
    let stop = Stop { now: stop.now.child_token(), ..stop };
    let shared = Arc::new(Shared {
        builder: connection::builder(&limits),
        authorities: options.authorities.into(),
        limits: Arc::clone(&limits),
        stop: stop.clone(),
    });
    let mut pause = ACCEPT_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.drain.cancelled() => break,
            () = stop.now.cancelled() => break,
            accepted = next(&mut listener, &seats) => accepted,
        };
        match accepted {
            Ok((stream, peer, seat)) => {
                pause = ACCEPT_PAUSE;
                let Some(place) = caps.take(peer.ip()) else {
                    metrics::counter!("keynest_http_connections_refused_total").increment(1);
                    continue;
                };
                // Only slower without it.
                let _ = stream.set_nodelay(true);
                let work = connection::serve(Arc::clone(&shared), app.clone(), stream, peer);
                tasks.spawn(async move {
                    work.await;
                    drop((seat, place));
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, pause_ms = pause.as_millis(), "cannot accept connections");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(limits.accept_pause_max);
            }
        }
    }
    drop(listener);
    drain(tasks, limits.drain, &stop).await
}

/// A connection and its seat. Without a free seat it is not even accepted: the kernel keeps it for later.
async fn next<L: Listener>(
    listener: &mut L,
    seats: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, seat))
}

/// Errors of the connection that was being accepted; the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn drain(tasks: TaskTracker, deadline: Duration, stop: &Stop) -> Drained {
    tasks.close();
    let drained = tokio::select! {
        () = tasks.wait() => Drained::Finished,
        () = tokio::time::sleep(deadline) => Drained::CutOff,
        () = stop.now.cancelled() => Drained::CutOff,
    };
    stop.now.cancel();
    tasks.wait().await;
    drained
}
