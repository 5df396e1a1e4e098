//! Finding the server binaries that the distribution installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::error::EmbeddedError;

const VERSIONED: &str = "/usr/lib/postgresql";

/// A folder that holds `initdb`, `postgres` and `pg_ctl`.
#[derive(Clone, Debug)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    /// The newest server there is, for a new cluster.
    pub(super) fn newest() -> Result<Self, EmbeddedError> {
        versioned(None)
            .or_else(|| on_path().find_map(usable))
            .or_else(|| usable(named_by_pg_config()?))
            .ok_or(EmbeddedError::NoBinaries)
    }

    /// The server of the major version that made the cluster: another one would refuse it.
    pub(super) fn for_cluster(cluster: &Path) -> Result<Self, EmbeddedError> {
        let file = cluster.join("PG_VERSION");
        let made_by =
            fs::read_to_string(&file).map_err(EmbeddedError::file("cannot read", file))?;
        let major = made_by.trim();
        versioned(Some(major))
            .or_else(|| {
                on_path()
                    .chain(named_by_pg_config())
                    .find_map(|folder| usable(folder).filter(|b| b.is(major)))
            })
            .ok_or_else(|| EmbeddedError::WrongVersion {
                cluster: cluster.into(),
                needed: major.into(),
            })
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// `postgres --version` prints `postgres (PostgreSQL) 15.18 (Debian ..)`.
    fn is(&self, major: &str) -> bool {
        let output = Command::new(self.program("postgres")).arg("--version").output();
        let text =
            output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        text.split(' ').nth(2).and_then(|version| version.split('.').next()) == Some(major)
    }
}

fn usable(folder: PathBuf) -> Option<Binaries> {
    ["initdb", "postgres", "pg_ctl"]
        .iter()
        .all(|name| folder.join(name).is_file())
        .then_some(Binaries(folder))
}

/// Debian and Ubuntu keep every major version in a folder of its own.
fn versioned(major: Option<&str>) -> Option<Binaries> {
    let mut found: Vec<(u32, Binaries)> = fs::read_dir(VERSIONED)
        .ok()?
        .filter_map(|entry| {
            let version = entry.ok()?.file_name().into_string().ok()?;
            let is_wanted = major.is_none_or(|wanted| wanted == version);
            let binaries =
                is_wanted.then(|| usable(Path::new(VERSIONED).join(&version).join("bin")))??;
            Some((version.parse().ok()?, binaries))
        })
        .collect();
    found.sort_by_key(|(version, _)| *version);
    found.pop().map(|(_, binaries)| binaries)
}

fn on_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

fn named_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim()))
}
