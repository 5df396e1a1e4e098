//! Where the private Postgres lives: `<data>/postgres` with cluster, socket, log and lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::account::{Account, own_uid};
use super::error::EmbeddedError;
use super::server::PORT;

/// `sun_path` has 108 bytes, the last of which is a NUL.
const SOCKET_PATH_BYTES_MAX: usize = 107;
const SOCKET_FILE: &str = ".s.PGSQL.5432";
/// Only for us; and searchable by the dropped user, where there is one. The files inside have modes of their own.
const PRIVATE: u32 = 0o700;
const SEARCHABLE: u32 = 0o711;
/// Where root's databases go when the data directory is below a folder that only root can search, such as /root.
const ROOT_STATE: &str = "/var/lib/keynest";
const ROOT_RUNTIME: &str = "/run/keynest";
const FALLBACK_RUNTIME: &str = "/tmp";

/// The folder of one private Postgres, locked for this process.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) cluster: PathBuf,
    /// The cluster while it is being made; renamed when it is complete.
    pub(super) unfinished: PathBuf,
    pub(super) socket_folder: PathBuf,
    pub(super) log: PathBuf,
    pub(super) account: Account,
    /// Held as long as the server may run; closing it (also by `kill -9`) gives it back.
    _lock: File,
}

impl Home {
    /// Finds or makes the folder and takes its lock.
    pub(super) fn open(data_dir: &Path) -> Result<Self, EmbeddedError> {
        create_data_dir(data_dir)?;
        let folder = locate(data_dir)?;
        let lock = take_lock(&folder)?;
        let cluster = folder.join("cluster");
        let account = Account::choose(&cluster)?;
        if !account.can_reach(&folder) {
            return Err(EmbeddedError::Unreachable { path: folder });
        }
        let socket_folder = socket_folder(&folder, &account)?;
        Ok(Self {
            unfinished: folder.join("cluster.new"),
            log: folder.join("log"),
            cluster,
            socket_folder,
            account,
            _lock: lock,
        })
    }

    /// A URL that sqlx understands; the socket's folder travels as a parameter, so any path can be written.
    pub(super) fn url(&self) -> Result<String, EmbeddedError> {
        let path = self.socket_folder.as_path();
        let text = path.to_str().ok_or_else(|| EmbeddedError::PathNotUtf8 { path: path.into() })?;
        // The port is part of the socket's name; without it sqlx and psql would take that of `PGPORT`.
        Ok(format!("postgres://keynest@localhost:{PORT}/keynest?host={}", percent_encode(text)))
    }

    /// It may be outside of the data directory, where nobody else would clear it away. It is made again at every start.
    pub(super) fn remove_socket_folder(&self) {
        if let Err(error) = fs::remove_dir(&self.socket_folder) {
            tracing::debug!(%error, folder = %self.socket_folder.display(), "the folder of the socket stays");
        }
    }
}

/// Makes the data directory, if need be: private, and as root searchable, since Postgres then runs as another user.
///
/// # Errors
/// When it cannot be made.
pub fn create_data_dir(data_dir: &Path) -> Result<(), EmbeddedError> {
    if data_dir.is_dir() {
        return Ok(());
    }
    let mode = if own_uid()? == 0 { SEARCHABLE } else { PRIVATE };
    let parents = data_dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    parents
        .map_or(Ok(()), fs::create_dir_all)
        .map_err(EmbeddedError::file("cannot create the parents of", data_dir))?;
    create_folder(data_dir, mode)
}

fn create_folder(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(EmbeddedError::file("cannot create", path)),
    }
}

/// `<data>/postgres`, or, when the user of Postgres cannot search the way to it, what a link of that name points to.
fn locate(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let data_dir =
        fs::canonicalize(data_dir).map_err(EmbeddedError::file("cannot find", data_dir))?;
    let folder = data_dir.join("postgres");
    match fs::symlink_metadata(&folder) {
        Ok(metadata) if metadata.is_symlink() => {
            let target =
                fs::read_link(&folder).map_err(EmbeddedError::file("cannot read", &folder))?;
            // Never an empty database in the place of one that is only missing.
            fs::canonicalize(&target).map_err(|_| EmbeddedError::Dangling { link: folder, target })
        }
        Ok(_) => Ok(folder),
        Err(_) => create_home(&data_dir, folder),
    }
}

fn create_home(data_dir: &Path, folder: PathBuf) -> Result<PathBuf, EmbeddedError> {
    let account = Account::choose(&folder.join("cluster"))?;
    if !account.is_dropped() {
        create_folder(&folder, PRIVATE)?;
        return Ok(folder);
    }
    if account.can_reach(data_dir) {
        create_folder(&folder, SEARCHABLE)?;
        return Ok(folder);
    }
    let state = Path::new(ROOT_STATE);
    let target = state.join(format!("data-{:016x}", fnv(data_dir.as_os_str().as_bytes())));
    create_folder(state, SEARCHABLE)
        .map_err(|_| EmbeddedError::Unreachable { path: data_dir.into() })?;
    create_folder(&target, SEARCHABLE)
        .map_err(|_| EmbeddedError::Unreachable { path: data_dir.into() })?;
    symlink(&target, &folder).map_err(EmbeddedError::file("cannot create the link", &folder))?;
    tracing::info!(
        link = %folder.display(), target = %target.display(),
        "the data directory is readable by root only, so the database is kept outside of it"
    );
    Ok(target)
}

fn take_lock(folder: &Path) -> Result<File, EmbeddedError> {
    let path = folder.join("lock");
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let lock = opened.map_err(EmbeddedError::file("cannot open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse { home: folder.into() }),
        Err(TryLockError::Error(source)) => {
            Err(EmbeddedError::File { attempt: "cannot lock", path, source })
        }
    }
}

/// A folder that only we and the server can enter, with a path short enough for a socket.
fn socket_folder(folder: &Path, account: &Account) -> Result<PathBuf, EmbeddedError> {
    let near = folder.join("socket");
    let path = if is_short(&near) { near } else { short_runtime_folder(folder)? };
    create_folder(&path, PRIVATE)?;
    let metadata =
        fs::symlink_metadata(&path).map_err(EmbeddedError::file("cannot read", &path))?;
    let me = own_uid()?;
    // In a folder that others can write to, somebody else may have made it first.
    if !metadata.is_dir() || (me != 0 && metadata.uid() != me) {
        return Err(EmbeddedError::UnsafeFolder { path });
    }
    account.own(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(PRIVATE))
        .map_err(EmbeddedError::file("cannot change the mode of", &path))?;
    Ok(path)
}

fn is_short(folder: &Path) -> bool {
    folder.join(SOCKET_FILE).as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

fn short_runtime_folder(folder: &Path) -> Result<PathBuf, EmbeddedError> {
    let me = own_uid()?;
    let name = format!("keynest-{me}-{:016x}", fnv(folder.as_os_str().as_bytes()));
    if me == 0 && create_folder(Path::new(ROOT_RUNTIME), SEARCHABLE).is_ok() {
        return Ok(Path::new(ROOT_RUNTIME).join(name));
    }
    let session = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| me != 0 && path.is_dir());
    let near = session.map(|path| path.join(&name)).filter(|path| is_short(path));
    Ok(near.unwrap_or_else(|| Path::new(FALLBACK_RUNTIME).join(name)))
}

/// FNV-1a: a short name that stays the same over versions of the standard library. Not for secrets.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_can_be_written_into_a_url() {
        assert_eq!(percent_encode("/a b/ü+&%?.d"), "/a%20b/%C3%BC%2B%26%25%3F.d");
    }

    #[test]
    fn a_socket_path_of_107_bytes_is_short_enough_and_one_of_108_is_not() {
        let fits = "/".to_owned() + &"x".repeat(SOCKET_PATH_BYTES_MAX - 2 - SOCKET_FILE.len());
        assert!(is_short(Path::new(&fits)));
        assert!(!is_short(Path::new(&(fits + "x"))));
    }
}
