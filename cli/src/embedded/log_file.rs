//! The server's log file, kept to a bounded size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Above this size the log becomes `log.1`, which replaces the one before: at most twice this on disk, and one interval's growth.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
const TAIL_BYTES_MAX: u64 = 2_000;

/// Opens the log for the server to append to.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The end of the log from byte `from` on, for an error message.
pub(super) fn tail(path: &Path, from: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL_BYTES_MAX)).min(length)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().replace('\n', " | "))
    };
    read().unwrap_or_else(|error| format!("(the log {} cannot be read: {error})", path.display()))
}

/// Current size in bytes; 0 when there is none yet.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(0)
}

/// Watches the size until the returned handle is dropped.
pub(super) fn keep_bounded(path: PathBuf) -> io::Result<Sender<()>> {
    let (handle, dropped) = mpsc::channel();
    thread::Builder::new().name("keynest-pg-log".into()).spawn(move || {
        loop {
            if let Err(error) = rotate(&path, LOG_BYTES_MAX) {
                tracing::warn!(%error, log = %path.display(), "cannot rotate the log of PostgreSQL");
            }
            if dropped.recv_timeout(CHECK_INTERVAL) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    })?;
    Ok(handle)
}

/// Copies and empties the file: the server appends to the one it was given and is not to be stopped for this.
fn rotate(path: &Path, bytes_max: u64) -> io::Result<()> {
    if length(path) <= bytes_max {
        return Ok(());
    }
    fs::copy(path, path.with_extension("1"))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_above_its_bound_moves_aside_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut writer = open(&path).unwrap();
        writer.write_all(b"first\n").unwrap();
        rotate(&path, 6).unwrap();
        assert_eq!(tail(&path, 0), "first", "at the bound it stays");
        rotate(&path, 5).unwrap();
        writer.write_all(b"second\n").unwrap();
        assert_eq!(tail(&path, 0), "second");
        assert_eq!(fs::read_to_string(folder.path().join("log.1")).unwrap(), "first\n");
    }
}
