//! What can go wrong between a value and its key.

use keynest_domain::KeyId;

use crate::key_table::KeyTableError;
use crate::root_key::RootKeyError;

/// Why a key could not be used, or a value not be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(
        "the keys in the table were wrapped by root key {wrapped_by}, which is not the one given"
    )]
    WrongRootKey { wrapped_by: String },
    #[error("the key table has keys but no root check, so no root key can be trusted to be theirs")]
    RootCheckMissing,
    #[error("could not read the root key again")]
    RootKey(#[source] RootKeyError),
    #[error("key {0} in the key table is damaged")]
    DamagedKey(KeyId),
    #[error("key {0} is not in the key table")]
    UnknownKey(KeyId),
    #[error("the key of {0} was destroyed, so nothing more can be sealed under it")]
    Destroyed(String),
    #[error("the sealed value has no known form")]
    Malformed,
    #[error("the sealed value is under the key of another subject")]
    WrongSubject,
    #[error("the sealed value was altered or moved from its place")]
    Tampered,
    #[error("the sealed value is not a text")]
    NotText,
    #[error("the digest key is not rotated, since stored digests are looked up by it")]
    NotRotatable,
    #[error("keys wrapped by the old root key keep appearing; rotate again")]
    RotationContended,
    #[error(transparent)]
    Table(#[from] KeyTableError),
}
