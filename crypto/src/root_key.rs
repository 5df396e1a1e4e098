//! The root key: 32 bytes from a file or an environment variable that encrypt every other key, and nothing else.

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keynest_domain::KeyId;
use zeroize::Zeroizing;

use crate::aead::{AeadKey, KEY_LEN};
use crate::context::joined;
use crate::random;

mod file;
pub use file::next_path;
pub(crate) use file::promote_next;

/// What the encryption key is derived for; the root itself never encrypts.
const WRAP_INFO: &[u8] = b"keynest/wrap-keys/1";
/// The first byte of a wrapped key.
const WRAP_VERSION: u8 = 1;

/// The root of all keys. Whoever has it and the key table reads everything.
pub struct RootKey {
    bytes: Zeroizing<[u8; KEY_LEN]>,
    id: String,
    wrapping: AeadKey,
}

/// Why there is no root key to work with.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    #[error(
        "there is no root key at {0}, and keys wrapped by it exist or creating one was not asked for"
    )]
    Missing(PathBuf),
    #[error("the root key is not 32 bytes in hexadecimal or base64")]
    Malformed,
    #[error("the root key file {path} may be read by others (mode {mode:o}); set its mode to 600")]
    TooPermissive { path: PathBuf, mode: u32 },
    #[error("there is a file at {0} already, and root keys are never overwritten")]
    Exists(PathBuf),
    #[error("could not {attempted} the root key file {path}")]
    Io {
        attempted: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl RootKey {
    /// A fresh random key that is nowhere but in memory; [`RootKey::create`] makes one that lasts.
    pub fn generate() -> Self {
        Self::from_bytes(random::secret())
    }

    /// From 64 hexadecimal digits or from base64 with or without padding, as in an environment variable.
    pub fn parse(text: &str) -> Result<Self, RootKeyError> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => from_hex(text),
            43 | 44 => from_base64(text),
            _ => None,
        };
        bytes.map(Self::from_bytes).ok_or(RootKeyError::Malformed)
    }

    /// A fingerprint, 16 hexadecimal digits; stored beside what this key wrapped.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a key, bound to its id and name, so that two rows cannot be swapped.
    pub(crate) fn wrap(&self, id: KeyId, name: &str, key: &[u8]) -> Vec<u8> {
        self.wrapping.seal(&[WRAP_VERSION], &place(id, name), key)
    }

    /// The reverse; `None` if another root key wrapped it, for another place, or if it was altered.
    pub(crate) fn unwrap(
        &self,
        id: KeyId,
        name: &str,
        wrapped: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = wrapped.strip_prefix(&[WRAP_VERSION])?;
        self.wrapping.open(&place(id, name), sealed)
    }

    /// The text that [`RootKey::parse`] reads; for the file, never for logs.
    fn to_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LEN));
        for byte in self.bytes.iter() {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    fn from_bytes(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let id_key = hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref());
        let tag = hmac::sign(&id_key, b"keynest/root-key-id/1");
        let id = tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(bytes.as_ref())
            .expand(&[WRAP_INFO], hkdf::HKDF_SHA256)
            .and_then(|key| key.fill(derived.as_mut()))
            .expect("32 bytes are what one round of HKDF-SHA256 gives");
        let wrapping = AeadKey::new(derived.as_ref()).expect("a derived key has 32 bytes");
        Self { bytes, id, wrapping }
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", self.id)
    }
}

fn place(id: KeyId, name: &str) -> Vec<u8> {
    joined(&[id.get().as_bytes(), name.as_bytes()])
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let high = char::from(digits[0]).to_digit(16)?;
        let low = char::from(*digits.get(1)?).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let padded = Zeroizing::new(format!("{}=", text.trim_end_matches('=')));
    let decoded = Zeroizing::new(STANDARD.decode(padded.as_bytes()).ok()?);
    let mut bytes = Zeroizing::new([0; KEY_LEN]);
    (decoded.len() == KEY_LEN).then(|| bytes.copy_from_slice(&decoded))?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_hexadecimal_and_from_base64() {
        let key = RootKey::generate();
        let base64 = STANDARD.encode(key.bytes.as_ref());
        for text in [key.to_hex().as_str(), &base64, base64.trim_end_matches('=')] {
            assert_eq!(RootKey::parse(&format!(" {text}\n")).unwrap().bytes, key.bytes);
        }
    }

    #[test]
    fn what_is_not_32_bytes_is_refused() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &"ü".repeat(32), &"=".repeat(44)]
        {
            assert!(matches!(RootKey::parse(text), Err(RootKeyError::Malformed)), "{text}");
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_own_id_name_and_root_only() {
        let root = RootKey::generate();
        let (id, other) = (random::key_id(), random::key_id());
        let wrapped = root.wrap(id, "user:1", b"key");
        assert_eq!(root.unwrap(id, "user:1", &wrapped).unwrap().as_slice(), b"key");
        assert!(root.unwrap(other, "user:1", &wrapped).is_none());
        assert!(root.unwrap(id, "user:2", &wrapped).is_none());
        assert!(RootKey::generate().unwrap(id, "user:1", &wrapped).is_none());
        for at in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[at] ^= 1;
            assert!(root.unwrap(id, "user:1", &altered).is_none(), "byte {at}");
            assert!(root.unwrap(id, "user:1", &wrapped[..at]).is_none(), "length {at}");
        }
    }

    #[test]
    fn debug_shows_the_fingerprint_only() {
        let key = RootKey::generate();
        assert_eq!(format!("{key:?}"), format!("RootKey({})", key.id()));
        assert!(!key.to_hex().contains(key.id()));
    }
}
