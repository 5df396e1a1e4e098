//! Keys in the table, in clear: making, finding and unwrapping them under whichever root key wraps now.
//!
//! The row `root_check` says which root key wraps now. It is written first into an empty table, so a wrong root key is
//! known as such before anything else is read or written. A rotation changes it first and then wraps the other rows
//! again; whoever makes or finds a key looks at it afterwards and wraps the key again if need be ([`Vault::settle`]),
//! so no key that was ever used can stay behind under the old root, whatever is killed when.

use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::key_table::{KeyTable, NewKey, WrappedKey, is_empty};
use crate::keyring_error::KeyringError;
use crate::random;
use crate::root_key::RootKey;
use crate::roots::RootKeys;

/// The name of the check row.
pub const ROOT_CHECK: &str = "root_check";
/// How many rotations that go by while one row is dealt with are borne.
const ATTEMPTS_MAX: usize = 8;

/// The table and the root keys.
pub struct Vault {
    pub table: Arc<dyn KeyTable>,
    roots: RwLock<RootKeys>,
}

impl Vault {
    /// Refuses a root key that is not the table's, having changed nothing.
    pub async fn open(roots: RootKeys, table: Arc<dyn KeyTable>) -> Result<Self, KeyringError> {
        let vault = Self { table, roots: RwLock::new(roots) };
        if vault.table.find(ROOT_CHECK).await?.is_none() && is_empty(&*vault.table).await? {
            let root = vault.roots().first();
            vault.insert(ROOT_CHECK, random::secret::<32>().as_ref(), &root).await?;
        }
        let check = vault.check_row().await?;
        vault.open_row(check).await?.ok_or(KeyringError::RootCheckMissing)?;
        Ok(vault)
    }

    /// The row that says which root key wraps now.
    pub async fn check_row(&self) -> Result<WrappedKey, KeyringError> {
        self.table.find(ROOT_CHECK).await?.ok_or(KeyringError::RootCheckMissing)
    }

    /// Stores a key unless its name is taken; answers the row that has the name.
    pub async fn create(&self, name: &str, key: &[u8]) -> Result<WrappedKey, KeyringError> {
        let root = self.wrapping_root().await?;
        let row = self.insert(name, key, &root).await?;
        self.settle(row).await
    }

    /// Wraps the row again if another root key wraps by now. Required before anything is sealed under its key.
    pub async fn settle(&self, mut row: WrappedKey) -> Result<WrappedKey, KeyringError> {
        for _ in 0..ATTEMPTS_MAX {
            let root = self.wrapping_root().await?;
            if row.root_id == root.id() || row.destroyed_at.is_some() {
                return Ok(row);
            }
            match self.wrap_again(&row, &root).await {
                // Somebody else wrapped it again, and the root key it was under is gone.
                Ok(_) | Err(KeyringError::WrongRootKey { .. }) => row = self.again(&row).await?,
                Err(error) => return Err(error),
            }
        }
        Err(KeyringError::RotationContended)
    }

    /// The key of a row that was just read, in clear; `None` if it was destroyed. A rotation may have gone by since.
    pub async fn open_row(
        &self,
        mut row: WrappedKey,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        for _ in 0..ATTEMPTS_MAX {
            if row.destroyed_at.is_some() {
                return Ok(None);
            }
            let wrapped_by = match self.unwrap(&row) {
                Err(KeyringError::WrongRootKey { wrapped_by }) => wrapped_by,
                done => return done.map(Some),
            };
            row = self.again(&row).await?;
            if row.root_id == wrapped_by {
                return Err(KeyringError::WrongRootKey { wrapped_by });
            }
        }
        Err(KeyringError::RotationContended)
    }

    /// Wraps one row under `root`, unless somebody else changed it meanwhile; says whether it did.
    pub async fn wrap_again(&self, row: &WrappedKey, root: &RootKey) -> Result<bool, KeyringError> {
        let key = self.unwrap(row)?;
        let wrapped = root.wrap(row.id, &row.name, &key);
        Ok(self.table.replace_wrapping(row.id, &row.wrapped, &wrapped, root.id()).await?)
    }

    /// The key in clear. The row must not be destroyed.
    pub fn unwrap(&self, row: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let root = self.root(&row.root_id)?;
        root.unwrap(row.id, &row.name, &row.wrapped).ok_or(KeyringError::DamagedKey(row.id))
    }

    /// Accepts one more root key from now on.
    pub fn accept(&self, root: Arc<RootKey>) {
        self.roots.write().unwrap_or_else(PoisonError::into_inner).accept(root);
    }

    /// The root key of this fingerprint; reads the file again before it gives up.
    fn root(&self, id: &str) -> Result<Arc<RootKey>, KeyringError> {
        let roots = self.roots();
        if let Some(root) = roots.find(id) {
            return Ok(root);
        }
        let read = roots.read_again().map_err(KeyringError::RootKey)?;
        let found = read.find(id);
        *self.roots.write().unwrap_or_else(PoisonError::into_inner) = read;
        found.ok_or_else(|| KeyringError::WrongRootKey { wrapped_by: id.to_owned() })
    }

    /// The root key that wraps now.
    async fn wrapping_root(&self) -> Result<Arc<RootKey>, KeyringError> {
        let mut id = self.check_row().await?.root_id;
        for _ in 0..ATTEMPTS_MAX {
            let refusal = match self.root(&id) {
                Err(KeyringError::WrongRootKey { wrapped_by }) => wrapped_by,
                done => return done,
            };
            id = self.check_row().await?.root_id;
            if id == refusal {
                return Err(KeyringError::WrongRootKey { wrapped_by: id });
            }
        }
        Err(KeyringError::RotationContended)
    }

    async fn again(&self, row: &WrappedKey) -> Result<WrappedKey, KeyringError> {
        let mut rows = self.table.get(&[row.id]).await?;
        rows.pop().ok_or(KeyringError::UnknownKey(row.id))
    }

    async fn insert(
        &self,
        name: &str,
        key: &[u8],
        root: &RootKey,
    ) -> Result<WrappedKey, KeyringError> {
        let id = random::key_id();
        let wrapped = root.wrap(id, name, key);
        let new = NewKey { id, name: name.to_owned(), wrapped, root_id: root.id().to_owned() };
        Ok(self.table.insert_if_absent(new).await?)
    }

    /// A copy of the few pointers, so that no lock is held while a file is read.
    fn roots(&self) -> RootKeys {
        self.roots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
