//! A subject's data key, and the form of what it seals:
//! version (1 byte), key id (16), nonce (12), ciphertext, tag (16); bound to its [`Context`].

use std::collections::HashMap;
use std::sync::Arc;

use keynest_domain::{KeyId, Sealed};
use zeroize::Zeroizing;

use crate::aead::AeadKey;
use crate::context::{Context, Subject};
use crate::keyring_error::KeyringError;

/// The only form so far.
const VERSION: u8 = 1;
/// Version and key id.
const HEAD_LEN: usize = 17;

/// A data key in clear, ready for use; zeroed when the last handle is dropped.
pub(crate) struct DataKey {
    pub id: KeyId,
    /// The subject as the key table names it.
    pub name: String,
    pub key: AeadKey,
}

impl DataKey {
    pub fn seal(&self, context: &Context, plain: &[u8]) -> Sealed {
        let mut head = [VERSION; HEAD_LEN];
        head[1..].copy_from_slice(self.id.get().as_bytes());
        Sealed::from_bytes(self.key.seal(&head, &context.associated_data(), plain))
    }

    pub fn open(
        &self,
        context: &Context,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        if self.name != context.subject.to_string() {
            return Err(KeyringError::WrongSubject);
        }
        let body = sealed.as_bytes().get(HEAD_LEN..).ok_or(KeyringError::Malformed)?;
        self.key.open(&context.associated_data(), body).ok_or(KeyringError::Tampered)
    }
}

/// The key that a value was sealed under.
pub(crate) fn key_of(sealed: &Sealed) -> Result<KeyId, KeyringError> {
    let (version, rest) = sealed.as_bytes().split_first().ok_or(KeyringError::Malformed)?;
    let (id, _) = rest.split_first_chunk::<16>().ok_or(KeyringError::Malformed)?;
    if *version != VERSION {
        return Err(KeyringError::Malformed);
    }
    Ok(KeyId::new(uuid::Uuid::from_bytes(*id)))
}

/// The id of the key that a value was sealed under, told without opening it; `None` of what is no sealed value.
pub fn sealed_under(sealed: &Sealed) -> Option<KeyId> {
    key_of(sealed).ok()
}

/// A handle that seals many values of one subject without waiting in between. Hold it for one command only: it does
/// not notice that its key is destroyed.
pub struct SealingKey {
    pub(crate) subject: Subject,
    pub(crate) key: Arc<DataKey>,
}

impl SealingKey {
    /// Seals one value; the context must be of this handle's subject.
    pub fn seal(&self, context: &Context, plain: &[u8]) -> Result<Sealed, KeyringError> {
        if context.subject != self.subject {
            return Err(KeyringError::WrongSubject);
        }
        Ok(self.key.seal(context, plain))
    }
}

/// The keys of many sealed values, fetched at once. Hold it for one query or batch only.
pub struct OpeningKeys {
    /// `None` is a destroyed key.
    pub(crate) keys: HashMap<KeyId, Option<Arc<DataKey>>>,
}

impl OpeningKeys {
    /// What was sealed, or `None` if its key was destroyed.
    pub fn open(
        &self,
        context: &Context,
        sealed: &Sealed,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        let id = key_of(sealed)?;
        match self.keys.get(&id).ok_or(KeyringError::UnknownKey(id))? {
            Some(key) => key.open(context, sealed).map(Some),
            None => Ok(None),
        }
    }

    /// As [`OpeningKeys::open`], for texts.
    pub fn open_text(
        &self,
        context: &Context,
        sealed: &Sealed,
    ) -> Result<Option<Zeroizing<String>>, KeyringError> {
        self.open(context, sealed)?.map(text).transpose()
    }
}

/// The bytes as text, without leaving a copy behind.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, KeyringError> {
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        KeyringError::NotText
    })
}
