//! Taking a backup: one snapshot of the database, while everything goes on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use futures::TryStreamExt;
use keynest_commands::Clock;
use keynest_crypto::Sha256;
use keynest_store::postgres::backup::{KEY_TABLES, LOG_TABLES, Snapshot, is_restore_begun};
use sqlx::PgPool;
use uuid::Uuid;

use super::manifest::{Copied, FILE_NAME, FORMAT, KEYS, LOG, Manifest, Table};
use crate::config::Config;

/// The ledger's name in the folder with the keys.
pub const LEDGER: &str = "destroyed-keys.log";

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub events: u64,
    pub bytes: u64,
}

/// Writes both folders, which must not be there. `tell` hears of each table.
///
/// # Errors
/// When a folder is there, or cannot be written, or the database does not answer. What was begun has no manifest.
pub async fn take(
    pool: &PgPool,
    config: &Config,
    clock: &Clock,
    (log, keys): (&Path, &Path),
    tell: impl Fn(&str),
) -> anyhow::Result<Taken> {
    if is_restore_begun(pool).await.context("look at the log")? {
        bail!("this database is being restored: finish that first");
    }
    let mut snapshot = Snapshot::take(pool).await.context("take a snapshot")?;
    let (_, head) = snapshot.head().await.context("look at the log")?;
    let mut manifest = Manifest {
        format: FORMAT,
        kind: LOG.to_owned(),
        backup: Uuid::from_bytes(clock.request_id().get().into_bytes()),
        made_by: format!("keynest {}", env!("CARGO_PKG_VERSION")),
        made_at: clock.now().iso(),
        events: head.to_stored(),
        root_keys: snapshot.root_keys().await.context("look at the keys")?,
        configuration: config.masked(),
        tables: Vec::new(),
        files: Vec::new(),
    };
    // Keys first: whoever has the log of a backup has the keys to it, too.
    let mut folder = Folder::new(keys)?;
    manifest.kind = KEYS.to_owned();
    manifest.tables = tables(&mut snapshot, &mut folder, &KEY_TABLES, &tell).await?;
    let ledger = config.destroyed_file();
    if ledger.exists() {
        manifest.files = vec![folder.copy(&ledger)?];
    }
    let mut bytes = folder.finish(&manifest)?;
    let mut folder = Folder::new(log)?;
    manifest.kind = LOG.to_owned();
    manifest.files = Vec::new();
    manifest.tables = tables(&mut snapshot, &mut folder, &LOG_TABLES, &tell).await?;
    bytes += folder.finish(&manifest)?;
    Ok(Taken { events: manifest.events, bytes })
}

async fn tables(
    snapshot: &mut Snapshot,
    folder: &mut Folder,
    names: &[&str],
    tell: &impl Fn(&str),
) -> anyhow::Result<Vec<Table>> {
    let mut tables = Vec::with_capacity(names.len());
    for &name in names {
        tell(name);
        let columns = snapshot.columns(name).await.with_context(|| format!("look at {name}"))?;
        let mut file = folder.file(&format!("{name}.copy"))?;
        let mut rows =
            snapshot.rows(name, &columns).await.with_context(|| format!("read {name}"))?;
        while let Some(part) = rows.try_next().await.with_context(|| format!("read {name}"))? {
            file.write(&part)?;
        }
        drop(rows);
        tables.push(Table { name: name.to_owned(), columns, copied: file.finish()? });
    }
    Ok(tables)
}

/// A folder that becomes a backup with its manifest.
struct Folder {
    path: PathBuf,
    bytes: u64,
}

impl Folder {
    fn new(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("make the folder {}", path.display());
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).with_context(failed)?;
        }
        fs::DirBuilder::new().mode(0o700).create(path).with_context(failed)?;
        Ok(Self { path: path.to_owned(), bytes: 0 })
    }

    fn file(&mut self, name: &str) -> anyhow::Result<Written<'_>> {
        let path = self.path.join(name);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("make {}", path.display()))?;
        let copied = Copied { file: name.to_owned(), bytes: 0, sha256: String::new() };
        let file = io::BufWriter::new(file);
        Ok(Written { folder: self, path, file, copied, sha256: Sha256::default() })
    }

    fn copy(&mut self, from: &Path) -> anyhow::Result<Copied> {
        let text = fs::read(from).with_context(|| format!("read {}", from.display()))?;
        let mut file = self.file(LEDGER)?;
        file.write(&text)?;
        file.finish()
    }

    fn finish(mut self, manifest: &Manifest) -> anyhow::Result<u64> {
        let text = serde_json::to_vec_pretty(manifest).context("write the manifest")?;
        let mut file = self.file(FILE_NAME)?;
        file.write(&text)?;
        file.finish()?;
        // Names are durable with their folder only.
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.with_context(|| format!("write {}", self.path.display()))?;
        Ok(self.bytes)
    }
}

struct Written<'a> {
    folder: &'a mut Folder,
    path: PathBuf,
    file: io::BufWriter<File>,
    copied: Copied,
    sha256: Sha256,
}

impl Written<'_> {
    fn write(&mut self, part: &[u8]) -> anyhow::Result<()> {
        self.copied.bytes += part.len() as u64;
        self.sha256.update(part);
        self.file.write_all(part).with_context(|| format!("write {}", self.path.display()))
    }

    fn finish(mut self) -> anyhow::Result<Copied> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.with_context(|| format!("write {}", self.path.display()))?;
        self.folder.bytes += self.copied.bytes;
        self.copied.sha256 = self.sha256.finish();
        Ok(self.copied)
    }
}
