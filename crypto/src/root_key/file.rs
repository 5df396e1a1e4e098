//! Root key files: one line of hexadecimal digits, mode 600, written once and never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{RootKey, RootKeyError};
use crate::random;

/// More than any key file has.
const FILE_BYTES_MAX: u64 = 256;
/// Files that come and go between two looks before giving up.
const ATTEMPTS_MAX: usize = 8;
/// Readable by its owner only.
const MODE: u32 = 0o600;
/// The bits that let anybody else in.
const OTHERS: u32 = 0o077;

impl RootKey {
    /// Reads a key file.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        let file = File::open(path).map_err(|source| {
            let is_missing = source.kind() == ErrorKind::NotFound;
            if is_missing {
                RootKeyError::Missing(path.to_owned())
            } else {
                io("open", path)(source)
            }
        })?;
        let mode = file.metadata().map_err(io("examine", path))?.mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(RootKeyError::TooPermissive { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => Self::parse(&text),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(RootKeyError::Malformed),
            Err(error) => Err(io("read", path)(error)),
        }
    }

    /// Makes a key and its file, durable before this returns. A file that is there stays as it is: [`RootKeyError::Exists`].
    pub fn create(path: &Path) -> Result<Self, RootKeyError> {
        let key = Self::generate();
        let draft = beside(path, &format!(".{:032x}.draft", random::bits128()));
        let written = key.write_new(&draft).and_then(|()| {
            // A link appears whole or not at all, and not where something is.
            fs::hard_link(&draft, path).map_err(|source| {
                let exists = source.kind() == ErrorKind::AlreadyExists;
                if exists {
                    RootKeyError::Exists(path.to_owned())
                } else {
                    io("create", path)(source)
                }
            })
        });
        // A draft left behind by a crash was never used.
        let removed = fs::remove_file(&draft).map_err(io("tidy up beside", path));
        written.and(removed)?;
        sync_folder(path)?;
        Ok(key)
    }

    /// Reads the file, or makes it if there is none and `may_create`: only while no key was ever wrapped.
    pub fn load_or_create(path: &Path, may_create: bool) -> Result<Self, RootKeyError> {
        let mut loaded = Self::load(path);
        for _ in 0..ATTEMPTS_MAX {
            if !may_create || !matches!(loaded, Err(RootKeyError::Missing(_))) {
                break;
            }
            loaded = match Self::create(path) {
                // Another process was faster; if it is the next key, it may even have been moved on.
                Err(RootKeyError::Exists(_)) => Self::load(path),
                made => made,
            };
        }
        loaded
    }

    fn write_new(&self, path: &Path) -> Result<(), RootKeyError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(path)
            .map_err(io("create", path))?;
        file.write_all(self.to_hex().as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .map_err(io("write", path))
    }
}

/// Where the next root key waits while everything is wrapped again: `root.key.next` for `root.key`.
pub fn next_path(path: &Path) -> PathBuf {
    beside(path, ".next")
}

/// Puts the next key in the place of the current one, durably.
pub(crate) fn promote_next(path: &Path) -> Result<(), RootKeyError> {
    fs::rename(next_path(path), path).map_err(io("replace", path))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), RootKeyError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("make durable", path))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn io(attempted: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RootKeyError {
    let path = path.to_owned();
    move |source| RootKeyError::Io { attempted, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_created_key_is_read_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let made = RootKey::create(&path).unwrap();
        assert_eq!(RootKey::load(&path).unwrap().id(), made.id());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(RootKey::create(&path), Err(RootKeyError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        RootKey::create(&path).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refusal = RootKey::load(&path).unwrap_err();
            assert!(matches!(refusal, RootKeyError::TooPermissive { mode: m, .. } if m == mode));
        }
    }

    #[test]
    fn a_missing_key_is_made_only_when_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let refusal = RootKey::load_or_create(&path, false).unwrap_err();
        assert!(matches!(refusal, RootKeyError::Missing(_)));
        assert!(!path.exists());
        let made = RootKey::load_or_create(&path, true).unwrap();
        assert_eq!(RootKey::load_or_create(&path, true).unwrap().id(), made.id());
    }

    #[test]
    fn a_spoilt_key_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        for content in [&b"zz"[..], b"", b"\xff\xfe", &[b'0'; 5_000]] {
            let _ = fs::remove_file(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let refusal = RootKey::load_or_create(&path, true).unwrap_err();
            assert!(matches!(refusal, RootKeyError::Malformed), "{refusal}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}
