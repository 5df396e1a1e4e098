//! The product as it runs: the binary of the same build, on the database of `DATABASE_URL`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Client;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Longest wait for a start.
const START: Duration = Duration::from_secs(60);
/// Between two looks whether it is ready.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running KeyNest; it ends with this value.
pub struct Instance {
    pub url: String,
    pub client: Client,
    _process: Child,
    _data: TempDir,
}

impl Instance {
    /// Starts with these keys of the configuration, as variables, and waits until it is ready.
    pub async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        if std::env::var_os("DATABASE_URL").is_none() {
            bail!("DATABASE_URL is not set; `make bench` starts a Postgres");
        }
        let binary = std::env::current_exe()?.with_file_name("keynest");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let url = format!("http://localhost:{}", free.port());
        let data = tempfile::tempdir()?;
        let process = Command::new(&binary)
            .arg("serve")
            .env("KEYNEST_DATA_DIR", data.path())
            .env("KEYNEST_HTTP_LISTEN", free.to_string())
            .env("KEYNEST_PUBLIC_URL", &url)
            .env("KEYNEST_LOG_LEVEL", "warn")
            .envs(settings.iter().copied())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}; `make bench` builds it", binary.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free.port()));
        let client = Client::builder().resolve("localhost", address).build()?;
        let instance = Self { url, client, _process: process, _data: data };
        tokio::time::timeout(START, instance.ready()).await.context("KeyNest did not start")?;
        Ok(instance)
    }

    async fn ready(&self) {
        let url = format!("{}/health/ready", self.url);
        loop {
            if self.client.get(&url).send().await.is_ok_and(|it| it.status().is_success()) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
