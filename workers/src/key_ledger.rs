//! The ledger of destroyed keys: a file outside the database, so that a restored backup does not bring them back
//! (DESIGN 5). One line a key: when, key id, whose key it was. Ids only, nothing personal.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use keynest_domain::{KeyId, Subject, Timestamp};

/// A destroyed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DestroyedKey {
    pub key: KeyId,
    pub subject: Subject,
}

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum LedgerError {
    #[error("keep the ledger of destroyed keys {}; `keys.destroyed_file` may name another place", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("line {line} of the ledger of destroyed keys {} is damaged; put a copy back", path.display())]
    Damaged { path: PathBuf, line: usize },
}

/// The file, open for appending, and what is in it. Clones share both.
#[derive(Clone)]
pub struct KeyLedger(Arc<Inner>);

struct Inner {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    known: BTreeSet<DestroyedKey>,
}

impl KeyLedger {
    /// Opens the file or makes it, and reads what is in it. The end of a line that a crash cut off is given up: it was
    /// not acknowledged, and its key is noted again.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::File { path: path.to_owned(), source };
        let mut file = open_or_create(path).map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(u64::try_from(whole).unwrap_or(0)).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        let mut known = BTreeSet::new();
        for (number, line) in text[..whole].lines().enumerate() {
            let damaged = || LedgerError::Damaged { path: path.to_owned(), line: number + 1 };
            known.insert(parse(line).ok_or_else(damaged)?);
        }
        Ok(Self(Arc::new(Inner { path: path.to_owned(), open: Mutex::new(Open { file, known }) })))
    }

    /// Every key in it.
    pub fn keys(&self) -> Vec<DestroyedKey> {
        self.lock().known.iter().copied().collect()
    }

    /// Adds keys that are not in it yet; they are on the disk when this returns. Answers how many were new.
    pub fn note(&self, keys: &[DestroyedKey], now: Timestamp) -> Result<usize, LedgerError> {
        let mut open = self.lock();
        let new: Vec<_> = keys.iter().filter(|key| !open.known.contains(key)).copied().collect();
        if new.is_empty() {
            return Ok(0);
        }
        let lines: String =
            new.iter().map(|it| format!("{} {} {}\n", now.iso(), it.key, it.subject)).collect();
        // One write at the end of the file: processes that share it do not mix their lines.
        let written = open.file.write_all(lines.as_bytes()).and_then(|()| open.file.sync_data());
        written.map_err(|source| LedgerError::File { path: self.0.path.clone(), source })?;
        open.known.extend(&new);
        Ok(new.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(line: &str) -> Option<DestroyedKey> {
    let mut words = line.split(' ').skip(1);
    let (key, subject) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(DestroyedKey { key, subject })
}

fn open_or_create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let is_new = !path.exists();
    let file = options.open(path)?;
    if is_new && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // The name of a new file is durable with its folder only.
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use keynest_domain::UserId;
    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> DestroyedKey {
        let subject = Subject::User(UserId::new(i64::try_from(number).unwrap_or(0)));
        DestroyedKey { key: KeyId::new(Uuid::from_u128(number)), subject }
    }

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("keynest-ledger-{}", std::process::id()));
        let path = folder.join(name).join("destroyed-keys.log");
        drop(std::fs::remove_file(&path));
        path
    }

    const NOW: Timestamp = Timestamp::from_micros(0);

    #[test]
    fn what_was_noted_is_known_to_the_next_process_and_noted_once() {
        let path = place("next");
        let ledger = KeyLedger::open(&path).unwrap();
        assert_eq!(ledger.note(&[key(1), key(2)], NOW).unwrap(), 2);
        assert_eq!(ledger.note(&[key(2), key(3)], NOW).unwrap(), 1);
        assert_eq!(ledger.note(&[], NOW).unwrap(), 0);
        let next = KeyLedger::open(&path).unwrap();
        assert_eq!(next.keys(), [key(1), key(2), key(3)]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with(
            "1970-01-01T00:00:00.000000Z 00000000-0000-0000-0000-000000000001 user:1\n"
        ));
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_given_up_wherever_it_was_cut() {
        let path = place("cut");
        KeyLedger::open(&path).unwrap().note(&[key(1), key(2)], NOW).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for end in whole.len() / 2..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            let ledger = KeyLedger::open(&path).unwrap();
            assert_eq!(ledger.keys(), [key(1)], "{end}");
            ledger.note(&[key(2)], NOW).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole, "{end}");
        }
    }

    #[test]
    fn a_damaged_ledger_is_refused_by_line() {
        let path = place("damaged");
        KeyLedger::open(&path).unwrap().note(&[key(1)], NOW).unwrap();
        for wrong in ["", "x", "t 1 user:1", "t 00000000-0000-0000-0000-000000000001 user:1 more"] {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, format!("{text}{wrong}\n")).unwrap();
            let refusal = KeyLedger::open(&path).err().unwrap().to_string();
            assert!(refusal.starts_with("line 2 of the ledger"), "{refusal}");
            std::fs::write(&path, text).unwrap();
        }
        let refusal = KeyLedger::open(Path::new("/proc/nowhere/ledger")).err().unwrap().to_string();
        assert!(refusal.contains("keys.destroyed_file"), "{refusal}");
    }
}
