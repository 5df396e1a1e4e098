//! A Postgres of its own that may be killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::time::sleep;

/// How long a start may take, with recovery on a busy machine.
const START_TRIES_MAX: u32 = 600;
const START_PAUSE: Duration = Duration::from_millis(50);

/// Stopped and removed when dropped.
pub struct Server {
    folder: TempDir,
    binaries: PathBuf,
    /// Arguments and variables of every start.
    setup: Setup,
    process: Child,
}

/// What a server is started with, beside what all have.
#[derive(Clone, Default)]
pub struct Setup {
    /// Where it listens: of its socket, and of addresses that the arguments name.
    pub port: Option<u16>,
    pub arguments: Vec<String>,
    pub variables: Vec<(String, String)>,
}

impl Server {
    /// A new server on a socket of its own.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub async fn start_with(setup: Setup) -> Self {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("keynest-oracle").tempdir_in("/tmp").unwrap();
        give_away(folder.path());
        let made = as_owner(&binaries.join("initdb"))
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let process = run(&binaries, folder.path(), &setup);
        let mut server = Self { folder, binaries, setup, process };
        server.wait_until_ready().await;
        server
    }

    pub fn url(&self) -> String {
        let port = self.setup.port.map(|port| format!("&port={port}")).unwrap_or_default();
        format!("postgres:///postgres?user=postgres&host={}{port}", self.folder.path().display())
    }

    /// `kill -9` of the postmaster, and a new one on the same files.
    pub async fn kill_and_restart(&mut self) {
        self.kill();
        self.restart().await;
    }

    /// Of the postmaster.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9` of the postmaster; its children notice by themselves.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// `pg_ctl stop -m immediate`: no checkpoint, so the next start has to recover.
    pub fn stop_immediately(&mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-s", "QUIT", &pid]).status().unwrap().success());
        self.process.wait().unwrap();
    }

    /// A new one on the same files, after the last one has ended.
    pub async fn restart(&mut self) {
        self.process = run(&self.binaries, self.folder.path(), &self.setup);
        self.wait_until_ready().await;
    }

    /// Where it gave up by itself.
    pub async fn restart_if_ended(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.restart().await;
        }
    }

    async fn wait_until_ready(&mut self) {
        let connect: PgConnectOptions = self.url().parse().unwrap();
        for _ in 0..START_TRIES_MAX {
            if connect.connect().await.is_ok() {
                return;
            }
            // Children of the killed one may still hold its memory; the new one then ends at once.
            if self.process.try_wait().unwrap().is_some() {
                self.process = run(&self.binaries, self.folder.path(), &self.setup);
            }
            sleep(START_PAUSE).await;
        }
        panic!("the server does not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(binaries: &Path, folder: &Path, setup: &Setup) -> Child {
    as_owner(&binaries.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder)
        .args(["-c", "listen_addresses=", "-c", "max_connections=100", "-c", "shared_buffers=32MB"])
        .args(setup.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]))
        .args(&setup.arguments)
        .envs(setup.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn binaries() -> PathBuf {
    let told = Command::new("pg_config").arg("--bindir").output().ok().and_then(|told: Output| {
        let folder = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
        folder.join("initdb").exists().then_some(folder)
    });
    let installed = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        folders.filter(|folder| folder.join("initdb").exists()).max()
    };
    told.or_else(installed).expect("PostgreSQL is installed")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// Postgres refuses to run as root.
fn as_owner(program: &Path) -> Command {
    // A server stops with the thread that started it, however that one ends.
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program).current_dir("/");
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("postgres:postgres").arg(folder).status().unwrap();
        assert!(given.success());
    }
}
