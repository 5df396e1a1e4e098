//! Tokens whose signature was good a moment ago: the same bytes are not checked again. Only what never changes is kept, the
//! signature, the issuer and the audience; the key, the time and the session are looked at for every request.

use std::time::Duration;

use moka::sync::Cache;

use super::{AccessTokenError, Wire};
use crate::content_digest::sha256;

/// Tokens that are kept at most; each is a few hundred bytes.
const KNOWN_MAX: u64 = 4_096;
/// How long what a token says is kept in memory.
const KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

/// By the digest of the whole token, so that nothing but the very same text finds it. Clones share it.
#[derive(Clone)]
pub(super) struct Known(Cache<[u8; 32], Wire>);

impl Default for Known {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KNOWN_MAX).time_to_live(KNOWN_FOR).build())
    }
}

impl Known {
    /// What the token says, if it is known or passes the check. A failed check is not kept.
    pub(super) fn or_check(
        &self,
        text: &str,
        check: impl FnOnce() -> Result<Wire, AccessTokenError>,
    ) -> Result<Wire, AccessTokenError> {
        let digest = sha256(text.as_bytes());
        if let Some(known) = self.0.get(&digest) {
            return Ok(known);
        }
        let wire = check()?;
        self.0.insert(digest, wire.clone());
        Ok(wire)
    }
}

/// Holds personal data.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.0.entry_count())
    }
}
