//! The root keys that a process accepts: one, or two while everything is being wrapped again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::root_key::{RootKey, RootKeyError, next_path};

/// The current root key, the next one while a rotation runs, and the file they came from.
#[derive(Clone, Debug)]
pub struct RootKeys {
    known: Vec<Arc<RootKey>>,
    path: Option<PathBuf>,
}

/// A single key without a file, as from an environment variable.
impl From<RootKey> for RootKeys {
    fn from(key: RootKey) -> Self {
        Self { known: vec![Arc::new(key)], path: None }
    }
}

impl RootKeys {
    /// Reads the file, and the next key beside it if a rotation was begun.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        Self::load_or_create(path, false)
    }

    /// As [`RootKeys::load`]; makes the file if there is none and `may_create`.
    pub fn load_or_create(path: &Path, may_create: bool) -> Result<Self, RootKeyError> {
        // The next one first: it is moved to the place of the current one, and is met there if it was missed here.
        let next = match RootKey::load(&next_path(path)) {
            Ok(next) => Some(Arc::new(next)),
            Err(RootKeyError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        let mut known = vec![Arc::new(RootKey::load_or_create(path, may_create)?)];
        known.extend(next);
        Ok(Self { known, path: Some(path.to_owned()) })
    }

    /// Accepts one more key: the one that a rotation goes to, or comes from.
    #[must_use]
    pub fn and(mut self, key: RootKey) -> Self {
        self.accept(Arc::new(key));
        self
    }

    /// Whether one of them has this fingerprint.
    pub fn includes(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    pub(crate) fn accept(&mut self, key: Arc<RootKey>) {
        if self.find(key.id()).is_none() {
            self.known.push(key);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<RootKey>> {
        self.known.iter().find(|key| key.id() == id).cloned()
    }

    /// The key to wrap with when the table is empty.
    pub(crate) fn first(&self) -> Arc<RootKey> {
        Arc::clone(&self.known[0])
    }

    /// Reads the file again, if there is one: another process may have begun or ended a rotation.
    pub(crate) fn read_again(&self) -> Result<Self, RootKeyError> {
        let Some(path) = &self.path else { return Ok(self.clone()) };
        let mut read = Self::load(path)?;
        self.known.iter().cloned().for_each(|key| read.accept(key));
        Ok(read)
    }
}
