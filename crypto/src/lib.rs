//! Everything cryptographic, in one place to audit (DESIGN 5 and 8): sealing, keys, passwords, tokens, links.
//!
//! The surface, signatures shortened:
//! ```text
//! RootKeys::load(path)? | RootKeys::load_or_create(path, may_create)? | RootKey::parse(text)?   (hex or base64)
//! key_table::is_empty(&table).await?                       whether a fresh root key may be created
//! Keyring::unlock(roots: impl Into<RootKeys>, table: Arc<dyn KeyTable>).await?   Clone
//!   .seal(&Context, &[u8]).await? -> Sealed
//!   .open(&Context, &Sealed).await? -> Option<Zeroizing<Vec<u8>>>   None: the key was destroyed
//!   .open_text(&Context, &Sealed).await? -> Option<Zeroizing<String>>
//!   .sealing_key(Subject).await? -> SealingKey;   .seal(&Context, &[u8])?          no await per value
//!   .opening_keys(iter of &Sealed).await? -> OpeningKeys;   .open(&Context, &Sealed)? / .open_text(..)?
//!   .digest(kind, text) -> String;   .login_id(&Email) -> LoginId;   .exchange_id(text) -> ExchangeId
//!   .key_of(Subject).await? -> Option<KeyId>;   .destroy(Subject).await? -> Option<KeyId>
//!   .destroy_all(&[KeyId]).await?;   .forget(&[KeyId]);   sealed_under(&Sealed) -> Option<KeyId>
//!   .rotate(Purpose).await? -> KeyId;   .reload().await?;   .destroy_retired(now).await? -> Vec<KeyId>
//!   .keys().await? -> Vec<KeyInfo>;   .rotate_root(RootKey, progress).await?;   .rotate_root_file(path, progress).await?
//! Password::parse(text)? ; password::check(&Password, &[&str])? ; PasswordHasher::new(HashParams)?
//!   .hash(Password).await? -> String (PHC);   .verify(Password, Option<&str>).await? -> bool;   .needs_upgrade(phc) -> bool
//! AccessTokens::new(keyring, issuer, audience)   .mint(&AccessClaims, now);   .verify(text, now)?;   .jwks()
//! bearer_token::{generate(kind), digest(&keyring, text) -> Option, digest_of_new(&keyring, &token)}
//! MachineTokens::new(keyring, issuer)   .mint(claims, now, expires_at);   .verify(text, now)?
//! ForeignKeys::parse(json)?   .verify(text, issuer, audience, now)? -> ForeignToken
//! RefreshTokens::new(keyring)   .current_key_id();   .issue(session, generation, key_id) -> Option;   .parse(text) -> Option
//! Links::new(keyring)   .issue(&Link{target, nonce, expires_at}) -> SecretString
//!   Links::read(text) -> Option<UnverifiedLink>;   .verify(text, LinkTarget, nonce, now) -> bool
//! Cursors::new(keyring)   .seal(kind, &[u8]) -> String;   .open(kind, text) -> Option<Vec<u8>>
//! TotpSecret::generate() | ::parse(base 32)   .check(code, seconds) -> Option<step>;   .uri(issuer, account)
//! recovery_code::{generate, digest};   RelyingParty::new(site, api)   .begin_enrolment, .finish_enrolment, .begin, .finish
//! random::{secret, bits128, link_nonce}
//! ```

mod access_token;
mod aead;
pub mod bearer_token;
mod content_digest;
mod context;
mod cursor;
mod data_key;
mod foreign_token;
pub mod key_table;
mod keyring;
mod keyring_error;
mod link;
mod machine_token;
pub mod passkey;
pub mod password;
pub mod random;
pub mod recovery_code;
mod refresh_token;
mod root_key;
mod roots;
mod rotate_root;
mod service_key;
#[cfg(test)]
mod testing;
mod totp;
mod vault;

pub use access_token::{
    ACCESS_TOKEN_BYTES_MAX, ACCESS_TOKEN_LIFETIME, AccessClaims, AccessToken, AccessTokenError,
    AccessTokens,
};
pub use bearer_token::{BEARER_TOKEN_CHARS, BEARER_TOKEN_PATTERN, BearerTokenKind};
pub use content_digest::{Sha256, sha256};
pub use context::{Context, Subject};
pub use cursor::{CURSOR_CHARS_MAX, Cursors};
pub use data_key::{OpeningKeys, SealingKey, sealed_under};
pub use foreign_token::{
    FOREIGN_TOKEN_AGE_MAX, FOREIGN_TOKEN_BYTES_MAX, ForeignKeys, ForeignToken, ForeignTokenError,
};
pub use key_table::{KeyTable, KeyTableError, MemoryKeyTable, NewKey, WrappedKey};
pub use keyring::Keyring;
pub use keyring_error::KeyringError;
pub use link::{Link, LinkTarget, Links, UnverifiedLink};
pub use machine_token::{MACHINE_TOKEN_LIFETIME_MAX, MachineClaims, MachineTokens};
pub use passkey::{Ceremony, PasskeyCredential, PasskeyError, RelyingParty, Signed};
pub use password::{HashError, HashParams, Password, PasswordHasher};
pub use refresh_token::RefreshTokens;
pub use root_key::{RootKey, RootKeyError, next_path};
pub use roots::RootKeys;
pub use rotate_root::RotationProgress;
pub use service_key::{KeyInfo, Purpose};
pub use totp::{TOTP_DIGITS, TOTP_SKEW, TOTP_STEP_SECONDS, TotpSecret};
