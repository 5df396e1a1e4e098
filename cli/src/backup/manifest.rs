//! What a folder of a backup holds, and whether it still does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use keynest_crypto::Sha256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of the folder with the log.
pub const LOG: &str = "log";
/// The kind of the folder with the keys.
pub const KEYS: &str = "keys";

pub(super) const FILE_NAME: &str = "manifest.json";
/// Rises when an older binary could not read what a newer one wrote.
pub(super) const FORMAT: u32 = 1;

/// Written last, so that a folder without one is no backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub kind: String,
    /// The same in both folders of one backup.
    pub backup: Uuid,
    pub made_by: String,
    pub made_at: String,
    /// Events in the log.
    pub events: u64,
    /// Fingerprints of the root keys that the data keys are wrapped by.
    pub root_keys: Vec<String>,
    /// The configuration, with secrets masked: for comparing.
    pub configuration: BTreeMap<String, String>,
    pub tables: Vec<Table>,
    /// Other files.
    pub files: Vec<Copied>,
}

/// A table's copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    #[serde(flatten)]
    pub copied: Copied,
}

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

impl Manifest {
    /// Reads a folder's manifest and every file that it names, and compares.
    pub fn check(folder: &Path, kind: &str) -> anyhow::Result<Self> {
        let path = folder.join(FILE_NAME);
        let text = std::fs::read(&path)
            .with_context(|| format!("{}: this is no finished backup", path.display()))?;
        let manifest: Self =
            serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
        if manifest.format != FORMAT {
            bail!(
                "{} is of format {}, this binary reads {FORMAT}",
                path.display(),
                manifest.format
            );
        }
        ensure!(
            manifest.kind == kind,
            "{} holds the {}, not the {kind}",
            folder.display(),
            manifest.kind
        );
        for copied in manifest.tables.iter().map(|table| &table.copied).chain(&manifest.files) {
            let path = folder.join(name(&copied.file)?);
            let (bytes, sha256) =
                digest(&path).with_context(|| format!("read {}", path.display()))?;
            ensure!(
                bytes == copied.bytes && sha256 == copied.sha256,
                "{} is not what was written: the backup is damaged",
                path.display()
            );
        }
        Ok(manifest)
    }
}

/// A file's name, which leads nowhere else.
fn name(text: &str) -> anyhow::Result<&str> {
    let is_plain = Path::new(text).file_name().is_some_and(|name| name == text);
    ensure!(is_plain, "{text:?} is no name of a file in a backup");
    Ok(text)
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 16]);
    let (mut bytes, mut sha256) = (0, Sha256::default());
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, sha256.finish()));
        }
        bytes += read as u64;
        sha256.update(&buffer[..read]);
    }
}
