//! Which Postgres this process uses: the configured one, or the private one of the data directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::config::Config;
use crate::embedded::{EmbeddedError, EmbeddedPostgres};

/// Holds the private Postgres's URL while a process runs it, for the other subcommands. No secret: its socket's folder
/// is what keeps others out.
const RUNNING_FILE: &str = "postgres.url";

/// A database to connect to, and the server behind it if this process runs it.
pub struct Database {
    /// For sqlx.
    pub url: String,
    embedded: Option<(EmbeddedPostgres, PathBuf)>,
}

impl Database {
    /// The configured database; else the private one, started here.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = config.database.url.reveal() {
            return Ok(Self { url: url.to_owned(), embedded: None });
        }
        let embedded = EmbeddedPostgres::start(&config.data_dir)
            .await
            .context("start the private Postgres")?;
        let url = embedded.url();
        let file = config.data_dir.join(RUNNING_FILE);
        write_private(&file, &url).with_context(|| format!("write {}", file.display()))?;
        Ok(Self { url, embedded: Some((embedded, file)) })
    }

    /// The same, but joins the private one of a process that runs already.
    pub async fn start_or_join(config: &Config) -> anyhow::Result<Self> {
        match Self::start(config).await {
            Ok(database) => Ok(database),
            Err(error) if matches!(error.downcast_ref(), Some(EmbeddedError::InUse { .. })) => {
                let file = config.data_dir.join(RUNNING_FILE);
                let Ok(url) = fs::read_to_string(&file) else {
                    bail!("another keynest is starting, try again")
                };
                Ok(Self { url: url.trim().to_owned(), embedded: None })
            }
            Err(error) => Err(error),
        }
    }

    /// Stops the server if this process runs it.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some((embedded, file)) = self.embedded {
            let _ = fs::remove_file(file);
            embedded.stop().await.context("stop the private Postgres")?;
        }
        Ok(())
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
