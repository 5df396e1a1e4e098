//! The product as it runs: the binary of the same build, in a place.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Client;
use tokio::process::{Child, Command};

use crate::http::Connection;
use crate::place::Place;

/// Longest wait for a start.
const START: Duration = Duration::from_secs(60);
/// Between two looks whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Limits as they are, with numbers that a bench does not reach.
pub const LIMITS: [(&str, &str); 14] = [
    ("KEYNEST_THROTTLE_REGISTER_PER_MINUTE", "1000000"),
    ("KEYNEST_THROTTLE_PASSWORD_RESET_PER_HOUR", "1000000"),
    ("KEYNEST_THROTTLE_AUTH_PER_MINUTE", "1000000"),
    ("KEYNEST_THROTTLE_SIGN_IN_PER_MINUTE", "1000000"),
    ("KEYNEST_THROTTLE_ANONYMOUS_PER_HOUR", "1000000"),
    ("KEYNEST_THROTTLE_USER_PER_HOUR", "1000000"),
    ("KEYNEST_THROTTLE_MAILS_PER_HOUR", "500"),
    ("KEYNEST_THROTTLE_MAILS_PER_DAY", "500"),
    ("KEYNEST_THROTTLE_INVITATIONS_PER_DAY", "500"),
    ("KEYNEST_LOCKOUT_FAILURES_MAX", "100"),
    ("KEYNEST_LOCKOUT_SPRAYING_ACCOUNTS", "0"),
    ("KEYNEST_LINKS_PASSWORD_RESET_INTERVAL_SECONDS", "1"),
    ("KEYNEST_LINKS_ACTIVATION_INTERVAL_SECONDS", "1"),
    ("KEYNEST_LINKS_REPEATED_REGISTRATION_INTERVAL_SECONDS", "1"),
];

/// A running process; it ends with this value.
pub struct Instance {
    pub url: String,
    /// `localhost:port`.
    pub address: String,
    pub client: Client,
    /// From the start of the process to the first answer that it is ready.
    pub ready_after: Duration,
    process: Child,
}

impl Instance {
    /// Starts with [`LIMITS`] and waits until it is ready.
    pub async fn start(place: &Place) -> anyhow::Result<Self> {
        Self::start_with(place, &[]).await
    }

    /// The same with further keys of the configuration, as variables.
    pub async fn start_with(place: &Place, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("keynest");
        let address = free_address()?;
        let url = format!("http://localhost:{}", address.port());
        let mut command = Command::new(&binary);
        command
            .arg("serve")
            .env("DATABASE_URL", place.url())
            .env("KEYNEST_DATA_DIR", place.data())
            .env("KEYNEST_HTTP_LISTEN", address.to_string())
            .env("KEYNEST_PUBLIC_URL", &url)
            .env("KEYNEST_LOG_LEVEL", "warn")
            .envs(LIMITS)
            .envs(settings.iter().copied());
        let started = Self::run(command, address, "/health/ready").await;
        started.with_context(|| format!("start {}; `make bench` builds it", binary.display()))
    }

    /// Starts a server that listens there and waits until this path answers well.
    pub async fn run(
        mut command: Command,
        address: SocketAddr,
        ready: &str,
    ) -> anyhow::Result<Self> {
        let began = Instant::now();
        let process = command.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let url = format!("http://localhost:{}", address.port());
        let client = Client::builder().resolve("localhost", address).build()?;
        let address = format!("localhost:{}", address.port());
        let mut instance = Self { url, address, client, ready_after: Duration::ZERO, process };
        let wait = instance.wait_for(ready);
        tokio::time::timeout(START, wait).await.context("it was not ready in time")?;
        instance.ready_after = began.elapsed();
        Ok(instance)
    }

    /// Connections for load.
    pub async fn connections(&self, count: usize) -> anyhow::Result<Vec<Connection>> {
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            all.push(Connection::open(&self.address).await?);
        }
        Ok(all)
    }

    /// Of the process.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.process.id().context("the process has ended")
    }

    /// Resident memory of the process, in MB.
    pub fn memory(&self) -> anyhow::Result<f64> {
        resident(self.id()?)
    }

    /// Ends the process and waits for that.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.kill().await.context("end the process")
    }

    async fn wait_for(&self, path: &str) {
        let url = format!("{}{path}", self.url);
        while !self.client.get(&url).send().await.is_ok_and(|it| it.status().is_success()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Somewhere nobody listens now.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Resident memory of a process, in MB.
pub fn resident(process: u32) -> anyhow::Result<f64> {
    let told = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kib.trim().parse::<f64>()? * 1024.0 / 1e6)
}
