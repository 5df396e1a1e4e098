//! One run of the server process, from its start to its end.

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::home::Home;
use super::log_file;

/// Names the socket's file; nothing listens on the network.
pub(super) const PORT: &str = "5432";

/// Recovery after a crash replays at most a few gigabytes of log; after this long something else is wrong.
const READY_WAIT_MAX: Duration = Duration::from_secs(600);
const READY_NOTICE_AFTER: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The line of `postmaster.pid` that tells how far the server has come; `pg_ctl --wait` reads it too.
const STATUS_LINE: usize = 7;

/// A server that accepts connections.
pub(super) struct Server {
    child: Child,
}

impl Server {
    /// Starts the server and waits until it accepts connections. The calling thread must live as long as this process:
    /// the server is told to stop when that thread ends.
    pub(super) fn start(home: &Home, binaries: &Binaries) -> Result<Self, EmbeddedError> {
        let opened =
            || log_file::open(&home.log).map_err(EmbeddedError::file("cannot open", &home.log));
        let log_start = log_file::length(&home.log);
        let program = binaries.program("postgres");
        let mut command = home.account.command_that_dies_with_us(&program);
        command.arg("-D").arg(&home.cluster).args(settings(&home.socket_folder));
        command.stdout(opened()?).stderr(opened()?);
        let child = command.spawn().map_err(|source| EmbeddedError::Spawn { program, source })?;
        let mut server = Self { child };
        server.wait_until_ready(home, log_start)?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Blocks until the process has ended.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    fn wait_until_ready(&mut self, home: &Home, log_start: u64) -> Result<(), EmbeddedError> {
        let started = Instant::now();
        let mut is_noticed = false;
        while !is_ready(&home.cluster, self.pid()) {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return Err(EmbeddedError::NotStarted {
                    log: log_file::tail(&home.log, log_start),
                });
            }
            if started.elapsed() > READY_WAIT_MAX {
                let log = log_file::tail(&home.log, log_start);
                return Err(EmbeddedError::NotReady {
                    waited_seconds: READY_WAIT_MAX.as_secs(),
                    log,
                });
            }
            if !is_noticed && started.elapsed() > READY_NOTICE_AFTER {
                tracing::info!(log = %home.log.display(), "PostgreSQL is recovering; waiting for it");
                is_noticed = true;
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}

fn is_ready(cluster: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(cluster.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    let is_ours = lines.next().and_then(|line| line.trim().parse().ok()) == Some(pid);
    is_ours && lines.nth(STATUS_LINE - 1).is_some_and(|status| status.trim() == "ready")
}

/// What the rest of KeyNest relies on, whatever somebody writes into `postgresql.conf`.
fn settings(socket_folder: &Path) -> Vec<String> {
    // A list in the syntax of Postgres: quotes keep a comma or a blank in the path from ending the item.
    let quoted = format!("\"{}\"", socket_folder.display().to_string().replace('"', "\"\""));
    [
        ("listen_addresses", ""),
        ("port", PORT),
        ("unix_socket_directories", quoted.as_str()),
        ("unix_socket_permissions", "0700"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
    ]
    .iter()
    .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
    .collect()
}
