//! Values that the domain carries without being able to read them.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A field encrypted under a data key and bound to its place (DESIGN 5). Opaque here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(Vec<u8>);

/// 128 random bits that a mailed link is derived from. Worth nothing without the link key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkNonce(u128);

impl Sealed {
    /// Ciphertext as it was made by the keyring.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Ciphertext for the keyring to open.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Ciphertext for the keyring to open.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Base64 text, since payloads are JSON.
impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        STANDARD_NO_PAD.decode(text.as_bytes()).map(Self).map_err(de::Error::custom)
    }
}

/// 32 hexadecimal digits, since JSON numbers end at 2^53.
impl Serialize for LinkNonce {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for LinkNonce {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(de::Error::custom)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl LinkNonce {
    /// From the random source or the log.
    pub const fn new(nonce: u128) -> Self {
        Self(nonce)
    }

    /// The bits.
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Debug for LinkNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkNonce")
    }
}
