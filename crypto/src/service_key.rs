//! The keys of the service itself: for signing, links, refresh tokens, cursors and digests. Random, with ids, stored
//! wrapped like data keys, so that rotating the root key changes none of them (DESIGN 5).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{DecodingKey, EncodingKey};
use keynest_domain::{KeyId, Lifetime, Timestamp};
use zeroize::Zeroizing;

use crate::aead::{AeadKey, KEY_LEN};
use crate::keyring_error::KeyringError;
use crate::random;
use crate::vault::Vault;

/// What a service key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Access tokens (Ed25519).
    Signing,
    /// Mailed links.
    Link,
    /// Refresh tokens.
    Refresh,
    /// Position tokens and page cursors.
    Cursor,
    /// Digests of addresses and names, which claims and read models are looked up by; never rotated.
    Digest,
}

/// One service key for listings: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    pub id: KeyId,
    pub purpose: Purpose,
    pub created_at: Timestamp,
    pub retired_at: Option<Timestamp>,
    pub destroyed_at: Option<Timestamp>,
    pub root_id: String,
}

impl Purpose {
    pub const ALL: [Self; 5] =
        [Self::Signing, Self::Link, Self::Refresh, Self::Cursor, Self::Digest];

    /// The key's name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Link => "link",
            Self::Refresh => "refresh",
            Self::Cursor => "cursor",
            Self::Digest => "digest",
        }
    }

    /// How long a retired key still verifies: the longest life of what it made, and room for processes that have not
    /// noticed the rotation. `None`: it does not retire.
    pub const fn retired_lifetime(self) -> Option<Lifetime> {
        match self {
            // Access tokens live 60 min at most (`sessions.access_token_minutes`).
            Self::Signing => Some(Lifetime::from_hours(3)),
            // Invitations live 30 days at most (`links.invitation_hours`).
            Self::Link => Some(Lifetime::from_days(31)),
            // Sessions end after 30 days at most (`sessions.absolute_hours`).
            Self::Refresh => Some(Lifetime::from_days(31)),
            // Positions and cursors are of use for a day.
            Self::Cursor => Some(Lifetime::from_days(2)),
            Self::Digest => None,
        }
    }

    fn fresh(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Signing => {
                let pair = Ed25519KeyPair::generate().expect("the operating system has randomness");
                let document = pair.to_pkcs8().expect("a key that was just made has an encoding");
                Zeroizing::new(document.as_ref().to_vec())
            }
            Self::Link | Self::Refresh | Self::Cursor | Self::Digest => {
                Zeroizing::new(random::secret::<KEY_LEN>().to_vec())
            }
        }
    }
}

/// The keys of one purpose: the one that makes things, and all that still verify.
pub(crate) struct Ring<K> {
    active: KeyId,
    keys: HashMap<KeyId, K>,
}

impl<K> Ring<K> {
    pub fn active_id(&self) -> KeyId {
        self.active
    }

    pub fn active(&self) -> &K {
        &self.keys[&self.active]
    }

    pub fn get(&self, id: KeyId) -> Option<&K> {
        self.keys.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&KeyId, &K)> {
        self.keys.iter()
    }
}

/// An Ed25519 pair in the forms that jsonwebtoken takes.
pub(crate) struct SigningKey {
    pub signs: EncodingKey,
    pub verifies: DecodingKey,
    pub public: Vec<u8>,
}

/// Every service key of this process, replaced as a whole by [`crate::Keyring::reload`].
pub(crate) struct ServiceKeys {
    pub signing: Ring<SigningKey>,
    pub link: Ring<hmac::Key>,
    pub refresh: Ring<hmac::Key>,
    pub cursor: Ring<AeadKey>,
    pub digest: Ring<hmac::Key>,
}

impl ServiceKeys {
    /// Loads all, making those that are not there.
    pub async fn load(vault: &Vault) -> Result<Arc<Self>, KeyringError> {
        Ok(Arc::new(Self {
            signing: ring(vault, Purpose::Signing, signing).await?,
            link: ring(vault, Purpose::Link, mac).await?,
            refresh: ring(vault, Purpose::Refresh, mac).await?,
            cursor: ring(vault, Purpose::Cursor, AeadKey::new).await?,
            digest: ring(vault, Purpose::Digest, mac).await?,
        }))
    }
}

/// Retires the active key of a purpose and makes its successor. Two at once make one successor, or one each in turn.
pub(crate) async fn rotate(vault: &Vault, purpose: Purpose) -> Result<KeyId, KeyringError> {
    if purpose.retired_lifetime().is_none() {
        return Err(KeyringError::NotRotatable);
    }
    if let Some(active) = vault.table.find(purpose.name()).await? {
        vault.table.retire(active.id).await?;
    }
    Ok(vault.create(purpose.name(), &purpose.fresh()).await?.id)
}

/// Destroys every key of the purposes that can be rotated, and makes others: nothing verifies any more that was made with
/// them.
pub(crate) async fn renew(vault: &Vault) -> Result<(), KeyringError> {
    for purpose in Purpose::ALL.into_iter().filter(|it| it.retired_lifetime().is_some()) {
        for row in vault.table.history(purpose.name()).await? {
            vault.table.retire(row.id).await?;
            vault.table.destroy(row.id).await?;
        }
        vault.create(purpose.name(), &purpose.fresh()).await?;
    }
    Ok(())
}

/// Destroys what has been retired for longer than anything it made can live.
pub(crate) async fn destroy_retired(
    vault: &Vault,
    now: Timestamp,
) -> Result<Vec<KeyId>, KeyringError> {
    let mut destroyed = Vec::new();
    for purpose in Purpose::ALL {
        let Some(lifetime) = purpose.retired_lifetime() else { continue };
        for row in vault.table.history(purpose.name()).await? {
            let is_over = row.retired_at.is_some_and(|retired| retired + lifetime < now);
            if is_over && row.destroyed_at.is_none() {
                vault.table.destroy(row.id).await?;
                destroyed.push(row.id);
            }
        }
    }
    Ok(destroyed)
}

/// All service keys, newest first within a purpose.
pub(crate) async fn list(vault: &Vault) -> Result<Vec<KeyInfo>, KeyringError> {
    let mut keys = Vec::new();
    for purpose in Purpose::ALL {
        keys.extend(vault.table.history(purpose.name()).await?.into_iter().map(|row| KeyInfo {
            id: row.id,
            purpose,
            created_at: row.created_at,
            retired_at: row.retired_at,
            destroyed_at: row.destroyed_at,
            root_id: row.root_id,
        }));
    }
    Ok(keys)
}

async fn ring<K>(
    vault: &Vault,
    purpose: Purpose,
    parse: fn(&[u8]) -> Option<K>,
) -> Result<Ring<K>, KeyringError> {
    let active = match vault.table.find(purpose.name()).await? {
        Some(row) => vault.settle(row).await?,
        None => vault.create(purpose.name(), &purpose.fresh()).await?,
    };
    let mut keys = HashMap::new();
    let history = vault.table.history(purpose.name()).await?;
    for row in history.into_iter().chain([active.clone()]) {
        let id = row.id;
        let Some(secret) = vault.open_row(row).await? else { continue };
        keys.insert(id, parse(&secret).ok_or(KeyringError::DamagedKey(id))?);
    }
    if !keys.contains_key(&active.id) {
        return Err(KeyringError::Destroyed(active.name));
    }
    Ok(Ring { active: active.id, keys })
}

fn mac(secret: &[u8]) -> Option<hmac::Key> {
    (secret.len() == KEY_LEN).then(|| hmac::Key::new(hmac::HMAC_SHA256, secret))
}

fn signing(pkcs8: &[u8]) -> Option<SigningKey> {
    let public = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?.public_key().as_ref().to_vec();
    Some(SigningKey {
        signs: EncodingKey::from_ed_der(pkcs8),
        verifies: DecodingKey::from_ed_der(&public),
        public,
    })
}

#[cfg(test)]
#[path = "service_key_tests.rs"]
mod tests;
