//! The private Postgres: started with `keynest serve`, watched, started again when it dies, stopped with it.
//!
//! One thread owns the server for as long as this process lives, because the server's parent-death signal is tied to the
//! thread that started it. FACTS 4 (c) has the measurements behind this.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::home::Home;
use super::server::Server;
use super::{cluster, log_file, orphan};

const RESTART_DELAY_MIN: Duration = Duration::from_millis(100);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(10);
/// A server that ran this long was healthy: the next delay starts small again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// How long one round of `stop` waits for the supervisor before it asks the server again.
const STOP_ROUND: Duration = Duration::from_secs(1);
const STOP_ROUNDS_MAX: u32 = 5;

/// A running private Postgres. Dropping it asks the server to stop without waiting; `stop` waits.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    home: Arc<Home>,
    binaries: Binaries,
    url: String,
    /// Dropped or used: the supervisor starts no further server.
    stop: Option<Sender<()>>,
    pid: watch::Receiver<Option<u32>>,
    _log: Sender<()>,
}

impl EmbeddedPostgres {
    /// Starts the Postgres of this data directory and waits until it accepts connections. The first start makes the
    /// cluster (a second or two); a server left over from an earlier run is stopped first.
    ///
    /// # Errors
    /// When there is no Postgres, another process uses the directory, or the server does not come up.
    pub async fn start(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = data_dir.to_path_buf();
        let (stop, stopped) = channel();
        let (started, answer) = oneshot::channel();
        let (pid_sender, pid) = watch::channel(None);
        let supervise = move || match prepare(&data_dir) {
            Err(error) => drop(started.send(Err(error))),
            Ok((home, binaries, server)) => {
                pid_sender.send_replace(Some(server.pid()));
                let parts = (Arc::clone(&home), binaries.clone());
                if started.send(Ok(parts)).is_ok() {
                    supervise(&home, &binaries, server, &stopped, &pid_sender);
                }
            }
        };
        let spawned = thread::Builder::new().name("keynest-postgres".into()).spawn(supervise);
        spawned.map_err(|source| EmbeddedError::Spawn { program: "a thread".into(), source })?;
        let (home, binaries) = answer.await.map_err(|_| EmbeddedError::NoSupervisor)??;
        let url = home.url()?;
        let log = log_file::keep_bounded(home.log.clone())
            .map_err(EmbeddedError::file("cannot watch", &home.log))?;
        Ok(Self { home, binaries, url, stop: Some(stop), pid, _log: log })
    }

    /// Where to connect: a URL for sqlx, through the Unix socket, as the superuser `keynest` to the database `keynest`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Process id of the server that runs now; `None` while it is being restarted.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Waits until a server other than `earlier` runs; for whoever saw the connection break.
    pub async fn restarted(&mut self, earlier: u32) -> Option<u32> {
        let changed = self.pid.wait_for(|pid| pid.is_some_and(|pid| pid != earlier)).await;
        changed.ok().and_then(|pid| *pid)
    }

    /// Stops the server: clients are disconnected, everything is written to disk. Returns when the process is gone.
    ///
    /// # Errors
    /// When the server does not stop, even when told to stop at once.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        drop(self.stop.take());
        let mut result = Ok(());
        for _ in 0..STOP_ROUNDS_MAX {
            let (home, binaries) = (Arc::clone(&self.home), self.binaries.clone());
            let asked = tokio::task::spawn_blocking(move || orphan::stop(&home, &binaries));
            result = asked.await.map_err(|_| EmbeddedError::NoSupervisor)?;
            // The supervisor drops its end of the channel when it is done; it may have been between two servers.
            let mut pid = self.pid.clone();
            let ended = async { while pid.changed().await.is_ok() {} };
            if tokio::time::timeout(STOP_ROUND, ended).await.is_ok() {
                self.home.remove_socket_folder();
                return Ok(());
            }
        }
        result.and(Err(EmbeddedError::NoSupervisor))
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        // `stop` took it and waits for the end; otherwise ask, and let the server end in its own time.
        if self.stop.take().is_some() {
            let (home, binaries) = (Arc::clone(&self.home), self.binaries.clone());
            drop(thread::spawn(move || orphan::stop(&home, &binaries)));
        }
    }
}

type Prepared = (Arc<Home>, Binaries, Server);

fn prepare(data_dir: &Path) -> Result<Prepared, EmbeddedError> {
    let home = Home::open(data_dir)?;
    home.url()?;
    let binaries = cluster::ensure(&home)?;
    orphan::clear(&home, &binaries)?;
    let server = Server::start(&home, &binaries)?;
    Ok((Arc::new(home), binaries, server))
}

/// Waits for the server's end, again and again, until the other end of `stopped` is gone.
fn supervise(
    home: &Home,
    binaries: &Binaries,
    first: Server,
    stopped: &Receiver<()>,
    pid: &watch::Sender<Option<u32>>,
) {
    let mut server = first;
    let mut delay = RESTART_DELAY_MIN;
    loop {
        let started = Instant::now();
        let status = server.wait();
        pid.send_replace(None);
        if stopped.try_recv() == Err(TryRecvError::Disconnected) {
            return;
        }
        tracing::error!(?status, log = %home.log.display(), "PostgreSQL ended unexpectedly; starting it again");
        if started.elapsed() > HEALTHY_AFTER {
            delay = RESTART_DELAY_MIN;
        }
        server = loop {
            if stopped.recv_timeout(delay) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            delay = (delay * 2).min(RESTART_DELAY_MAX);
            match orphan::clear(home, binaries).and_then(|()| Server::start(home, binaries)) {
                Ok(server) => break server,
                Err(error) => tracing::error!(%error, "PostgreSQL could not be started again"),
            }
        };
        tracing::info!(pid = server.pid(), "PostgreSQL runs again");
        pid.send_replace(Some(server.pid()));
    }
}
