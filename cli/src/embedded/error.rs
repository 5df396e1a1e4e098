//! Why the private Postgres could not be started or stopped.

use std::io;
use std::path::PathBuf;

/// A failure of the private Postgres. None of them loses data: the cluster on disk is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No folder with `initdb`, `postgres` and `pg_ctl` was found.
    #[error("no PostgreSQL server found; install the package `postgresql` or set `database.url`")]
    NoBinaries,
    /// The cluster was made by a major version whose binaries are not installed.
    #[error(
        "the database in {cluster} was made by PostgreSQL {needed}, which is not installed; install `postgresql-{needed}`"
    )]
    WrongVersion { cluster: PathBuf, needed: String },
    /// Running as root without a user to drop to.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor a user `nobody` to run it as"
    )]
    NoAccount,
    /// Running as root without the program that drops the user id.
    #[error(
        "PostgreSQL does not run as root, and `setpriv` (package util-linux) is not there to change the user"
    )]
    NoSetpriv,
    /// The cluster belongs to somebody else, and only root could change that.
    #[error("the database in {cluster} belongs to user id {owner}; run keynest as that user")]
    NotOwner { cluster: PathBuf, owner: u32 },
    /// The dropped user cannot search a parent folder, and no other place could be made.
    #[error(
        "the user of PostgreSQL cannot reach {path}; choose a data directory that it can, such as /var/lib/keynest"
    )]
    Unreachable { path: PathBuf },
    /// `<data>/postgres` is a link to a folder that is not there.
    #[error(
        "{link} points to {target}, which does not exist; move the database there or remove the link to start empty"
    )]
    Dangling { link: PathBuf, target: PathBuf },
    /// Another process holds the lock.
    #[error("another keynest is running on {home}")]
    InUse { home: PathBuf },
    /// A path that cannot be written into a connection URL.
    #[error("the path {path} is not valid UTF-8")]
    PathNotUtf8 { path: PathBuf },
    /// The socket's folder exists and is not ours alone.
    #[error("{path} exists and is not a private folder of this user")]
    UnsafeFolder { path: PathBuf },
    /// A file or folder could not be used.
    #[error("{attempt} {path}")]
    File {
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot run {program}")]
    Spawn {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A program of PostgreSQL ended with a failure; `output` is the end of what it printed.
    #[error("{program} failed: {output}")]
    Failed { program: &'static str, output: String },
    /// The server ended before it accepted connections; `log` is the end of its log.
    #[error("PostgreSQL ended before it was ready: {log}")]
    NotStarted { log: String },
    /// The server is still there, and still not ready.
    #[error("PostgreSQL was not ready after {waited_seconds} seconds: {log}")]
    NotReady { waited_seconds: u64, log: String },
    /// A process of an earlier run keeps using the database and does not go away.
    #[error("processes {pids:?} still use the database in {cluster} and do not stop")]
    Orphan { cluster: PathBuf, pids: Vec<u32> },
    /// The thread that supervises the server is gone.
    #[error("the supervisor of PostgreSQL ended unexpectedly")]
    NoSupervisor,
}

impl EmbeddedError {
    /// For `map_err`: what was attempted, on which path.
    pub(super) fn file(
        attempt: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { attempt, path, source }
    }
}
