//! The keyring: seals and opens values under their subject's key, and holds the service's own keys.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use keynest_domain::{Email, ExchangeId, KeyId, LoginId, Sealed, Timestamp};
use moka::sync::Cache;
use zeroize::Zeroizing;

use crate::aead::{AeadKey, KEY_LEN};
use crate::context::{Context, Subject, joined};
use crate::data_key::{DataKey, OpeningKeys, SealingKey, key_of};
use crate::key_table::{KeyTable, PAGE_MAX, WrappedKey};
use crate::keyring_error::KeyringError;
use crate::random;
use crate::roots::RootKeys;
use crate::service_key::{self, KeyInfo, Purpose, ServiceKeys};
use crate::vault::Vault;

/// Data keys kept in clear in memory, of each kind of use.
const CACHED_KEYS_MAX: u64 = 50_000;
/// How long a process may go on with a key that another process destroyed and nobody told it of ([`Keyring::forget`]).
const CACHED_FOR: Duration = Duration::from_secs(300);

/// Cheap to clone; all clones are one keyring.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    vault: Vault,
    service: RwLock<Arc<ServiceKeys>>,
    /// Settled keys, good for sealing.
    sealing: Cache<Subject, Arc<DataKey>>,
    /// `None` is a destroyed key.
    opening: Cache<KeyId, Option<Arc<DataKey>>>,
    /// Rises with every forgotten key, so that a row read before is not put into a cache after.
    forgotten: AtomicU64,
}

impl Keyring {
    /// Checks the root key against the table, then loads the service keys, making those that are not there.
    /// A wrong root key is refused before anything is written.
    pub async fn unlock(
        roots: impl Into<RootKeys>,
        table: Arc<dyn KeyTable>,
    ) -> Result<Self, KeyringError> {
        let vault = Vault::open(roots.into(), table).await?;
        let service = RwLock::new(ServiceKeys::load(&vault).await?);
        let (sealing, opening) = (cache(), cache());
        let forgotten = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { vault, service, sealing, opening, forgotten })))
    }

    /// Encrypts a value for its place. The subject's key is made if need be, and is durable before this returns.
    pub async fn seal(&self, context: &Context, plain: &[u8]) -> Result<Sealed, KeyringError> {
        self.sealing_key(context.subject).await?.seal(context, plain)
    }

    /// What was sealed, or `None` if its key was destroyed.
    pub async fn open(
        &self,
        context: &Context,
        sealed: &Sealed,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.opening_keys([sealed]).await?.open(context, sealed)
    }

    /// As [`Keyring::open`], for texts.
    pub async fn open_text(
        &self,
        context: &Context,
        sealed: &Sealed,
    ) -> Result<Option<Zeroizing<String>>, KeyringError> {
        self.opening_keys([sealed]).await?.open_text(context, sealed)
    }

    /// A handle for sealing many values of one subject.
    pub async fn sealing_key(&self, subject: Subject) -> Result<SealingKey, KeyringError> {
        if let Some(key) = self.0.sealing.get(&subject) {
            return Ok(SealingKey { subject, key });
        }
        let name = subject.to_string();
        let forgotten = self.0.forgotten.load(Ordering::SeqCst);
        let row = match self.0.vault.table.find(&name).await? {
            Some(row) => self.0.vault.settle(row).await?,
            None => self.0.vault.create(&name, random::secret::<KEY_LEN>().as_ref()).await?,
        };
        let key = self.data_key(row).await?.ok_or(KeyringError::Destroyed(name))?;
        self.0.sealing.insert(subject, Arc::clone(&key));
        if self.0.forgotten.load(Ordering::SeqCst) != forgotten {
            self.0.sealing.invalidate(&subject);
        }
        Ok(SealingKey { subject, key })
    }

    /// Handles for opening many values of any subjects, with one look into the table for all keys not yet in memory.
    pub async fn opening_keys(
        &self,
        values: impl IntoIterator<Item = &Sealed>,
    ) -> Result<OpeningKeys, KeyringError> {
        let mut keys = HashMap::new();
        let mut missing = HashSet::new();
        for value in values {
            // A value without a key id is refused when it is opened, without spoiling the others.
            let Ok(id) = key_of(value) else { continue };
            match self.0.opening.get(&id) {
                Some(key) => drop(keys.insert(id, key)),
                None => drop(missing.insert(id)),
            }
        }
        let missing: Vec<_> = missing.into_iter().collect();
        let forgotten = self.0.forgotten.load(Ordering::SeqCst);
        for page in missing.chunks(PAGE_MAX) {
            for row in self.0.vault.table.get(page).await? {
                let id = row.id;
                let key = self.data_key(row).await?;
                self.0.opening.insert(id, key.clone());
                keys.insert(id, key);
            }
        }
        if self.0.forgotten.load(Ordering::SeqCst) != forgotten {
            missing.iter().for_each(|id| self.0.opening.invalidate(id));
        }
        Ok(OpeningKeys { keys })
    }

    /// Reads a subject's key into memory, for opening: one look into the table whether it is there already or not, and
    /// whether there is such a key or not. For whoever must not tell the two apart by what it costs.
    pub async fn refetch(&self, subject: Subject) -> Result<(), KeyringError> {
        let forgotten = self.0.forgotten.load(Ordering::SeqCst);
        let Some(row) = self.0.vault.table.find(&subject.to_string()).await? else { return Ok(()) };
        let id = row.id;
        self.0.opening.insert(id, self.data_key(row).await?);
        if self.0.forgotten.load(Ordering::SeqCst) != forgotten {
            self.0.opening.invalidate(&id);
        }
        Ok(())
    }

    /// A keyed digest, 64 hexadecimal digits: equal for equal texts of one kind, and telling nothing else.
    pub fn digest(&self, kind: &str, text: &str) -> String {
        let tag = self.digest_tag(kind, text);
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The login stream of an address, the same for every spelling of it and whether or not it has an account.
    pub fn login_id(&self, address: &Email) -> LoginId {
        let tag = self.digest_tag("login", address.as_str());
        let half = tag.as_ref().first_chunk().expect("a SHA-256 tag has 32 bytes");
        LoginId::new(uuid::Builder::from_custom_bytes(*half).into_uuid())
    }

    /// The stream of the one exchange of another issuer's token.
    pub fn exchange_id(&self, identity: &str) -> ExchangeId {
        let tag = self.digest_tag("exchange", identity);
        let half = tag.as_ref().first_chunk().expect("a SHA-256 tag has 32 bytes");
        ExchangeId::new(uuid::Builder::from_custom_bytes(*half).into_uuid())
    }

    /// Destroys the subject's key, for good: nothing sealed under it opens again. Answers its id for the ledger, also
    /// when it was destroyed before; `None` if there never was one.
    pub async fn destroy(&self, subject: Subject) -> Result<Option<KeyId>, KeyringError> {
        let row = self.0.vault.table.find(&subject.to_string()).await?;
        if let Some(row) = &row {
            self.destroy_all(&[row.id]).await?;
        }
        Ok(row.map(|row| row.id))
    }

    /// The id of the subject's key, also of a destroyed one; `None` if there never was one.
    pub async fn key_of(&self, subject: Subject) -> Result<Option<KeyId>, KeyringError> {
        Ok(self.0.vault.table.find(&subject.to_string()).await?.map(|row| row.id))
    }

    /// Destroys keys by id, those that are not yet, and drops them from memory. For whoever reads in the log that they
    /// are destroyed: when this returns, nothing opens under them any more, in no process that reads the table.
    pub async fn destroy_all(&self, ids: &[KeyId]) -> Result<(), KeyringError> {
        for page in ids.chunks(PAGE_MAX) {
            for row in self.0.vault.table.get(page).await? {
                if row.destroyed_at.is_none() {
                    self.0.vault.table.destroy(row.id).await?;
                }
            }
        }
        self.forget(ids);
        Ok(())
    }

    /// Drops keys from memory, to be called when the log says that another process destroyed them.
    pub fn forget(&self, ids: &[KeyId]) {
        self.0.forgotten.fetch_add(1, Ordering::SeqCst);
        ids.iter().for_each(|id| self.0.opening.invalidate(id));
        // These are by subject; destroying is rare, and the others are fetched again.
        self.0.sealing.invalidate_all();
    }

    /// Makes a new service key; the old one verifies for [`Purpose::retired_lifetime`]. Answers the new key's id.
    pub async fn rotate(&self, purpose: Purpose) -> Result<KeyId, KeyringError> {
        let id = service_key::rotate(&self.0.vault, purpose).await?;
        self.reload().await?;
        Ok(id)
    }

    /// Destroys the keys that sign and make tokens and links, and makes others: every access, refresh, position and link
    /// token of before is refused from now on. For a database that was restored.
    pub async fn renew_service_keys(&self) -> Result<(), KeyringError> {
        service_key::renew(&self.0.vault).await?;
        self.reload().await
    }

    /// Takes note of service keys that other processes made. To be called every minute or so: until then their tokens
    /// do not verify here.
    pub async fn reload(&self) -> Result<(), KeyringError> {
        let loaded = ServiceKeys::load(&self.0.vault).await?;
        *self.0.service.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Destroys service keys that have been retired for longer than anything they made can live; the janitor's task.
    pub async fn destroy_retired(&self, now: Timestamp) -> Result<Vec<KeyId>, KeyringError> {
        let destroyed = service_key::destroy_retired(&self.0.vault, now).await?;
        self.reload().await?;
        Ok(destroyed)
    }

    /// The service keys, without anything secret.
    pub async fn keys(&self) -> Result<Vec<KeyInfo>, KeyringError> {
        service_key::list(&self.0.vault).await
    }

    pub(crate) fn service(&self) -> Arc<ServiceKeys> {
        Arc::clone(&self.0.service.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The key of a row, or `None` if it was destroyed.
    async fn data_key(&self, row: WrappedKey) -> Result<Option<Arc<DataKey>>, KeyringError> {
        let (id, name) = (row.id, row.name.clone());
        let Some(secret) = self.0.vault.open_row(row).await? else { return Ok(None) };
        let key = AeadKey::new(&secret).ok_or(KeyringError::DamagedKey(id))?;
        Ok(Some(Arc::new(DataKey { id, name, key })))
    }

    fn digest_tag(&self, kind: &str, text: &str) -> hmac::Tag {
        let parts = joined(&[kind.as_bytes(), text.as_bytes()]);
        hmac::sign(self.service().digest.active(), &parts)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(..)")
    }
}

fn cache<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(CACHED_KEYS_MAX).time_to_live(CACHED_FOR).build()
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
