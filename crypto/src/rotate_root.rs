//! Rotating the root key: every row of the key table is wrapped again, and nothing else changes.
//!
//! With a file, [`Keyring::rotate_root_file`] does it all and may be killed and started again at any point:
//! 1. the new key is written beside the old one, as `root.key.next`; processes accept both from then on, and those
//!    that run already read the files again when they meet a row of a root key that they do not know;
//! 2. the row `root_check` is wrapped under the new key, so that new keys are too, in every process;
//! 3. all other rows follow, until a whole pass finds none left;
//! 4. `root.key.next` is renamed to `root.key`. The old key is gone; backups of the key table that are older need it,
//!    so keep a copy of the root key with every backup.
//!
//! With environment variables: restart every process with both keys ([`RootKeys::and`](crate::RootKeys::and)), call
//! [`Keyring::rotate_root`], restart with the new key alone.

use std::path::Path;
use std::sync::Arc;

use crate::key_table::PAGE_MAX;
use crate::keyring::Keyring;
use crate::keyring_error::KeyringError;
use crate::root_key::{RootKey, RootKeyError, next_path, promote_next};

/// Passes over the table before giving up; each meets only what was added during the one before.
const PASSES_MAX: u32 = 10;

/// How far a rotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotationProgress {
    /// Rows looked at in this pass.
    pub seen: u64,
    /// Rows wrapped again in all passes of this run.
    pub rewrapped: u64,
}

impl Keyring {
    /// Wraps every key under `new`. Killed half-way, it goes on where it was when it is called again with that key.
    pub async fn rotate_root(
        &self,
        new: RootKey,
        mut report: impl FnMut(RotationProgress) + Send,
    ) -> Result<RotationProgress, KeyringError> {
        let new = Arc::new(new);
        let vault = self.vault();
        vault.accept(Arc::clone(&new));
        let mut progress = RotationProgress::default();
        let check = vault.check_row().await?;
        if check.root_id != new.id() && vault.wrap_again(&check, &new).await? {
            progress.rewrapped += 1;
        }
        if vault.check_row().await?.root_id != new.id() {
            return Err(KeyringError::RotationContended);
        }
        for _ in 0..PASSES_MAX {
            if self.pass(&new, &mut progress, &mut report).await? {
                return Ok(progress);
            }
        }
        Err(KeyringError::RotationContended)
    }

    /// As [`Keyring::rotate_root`], with the key files at `path` that this keyring was opened with.
    pub async fn rotate_root_file(
        &self,
        path: &Path,
        report: impl FnMut(RotationProgress) + Send,
    ) -> Result<RotationProgress, KeyringError> {
        let next = next_path(path);
        let new = RootKey::load_or_create(&next, path.exists()).map_err(KeyringError::RootKey)?;
        let id = new.id().to_owned();
        let progress = self.rotate_root(new, report).await?;
        match promote_next(path) {
            Err(RootKeyError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound
                    && RootKey::load(path).is_ok_and(|key| key.id() == id) => {}
            done => done.map_err(KeyringError::RootKey)?,
        }
        Ok(progress)
    }

    /// Goes through the table once; says whether every row was under `new` already.
    async fn pass(
        &self,
        new: &RootKey,
        progress: &mut RotationProgress,
        report: &mut (impl FnMut(RotationProgress) + Send),
    ) -> Result<bool, KeyringError> {
        let (vault, mut after, mut is_done) = (self.vault(), None, true);
        progress.seen = 0;
        loop {
            let page = vault.table.list(after, PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(is_done) };
            after = Some(last.id);
            for row in &page {
                progress.seen += 1;
                if row.root_id == new.id() || row.destroyed_at.is_some() {
                    continue;
                }
                is_done = false;
                progress.rewrapped += u64::from(vault.wrap_again(row, new).await?);
            }
            report(*progress);
        }
    }
}

#[cfg(test)]
#[path = "rotate_root_tests.rs"]
mod tests;
