//! Personal tokens: they act as their owner, within a scope.

use serde::{Deserialize, Serialize};

use crate::{Sealed, Timestamp, TokenId, TokenScope};

/// See [`super::Event::TokenCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenCreated {
    pub token: TokenId,
    pub name: Sealed,
    pub scope: TokenScope,
    /// Networks that it may come from, as JSON; from anywhere if `None`.
    pub ranges: Option<Sealed>,
    /// Keyed, of the token's text.
    pub digest: String,
    pub expires_at: Timestamp,
    /// Whether the session that made it counted as two-factor: a token is never better than that.
    pub is_two_factor: bool,
    pub at: Timestamp,
}

/// See [`super::Event::TokenRevoked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenRevoked {
    pub token: TokenId,
}

/// A token that was not ended, as rules read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct LivingToken {
    pub expires_at: Timestamp,
    pub is_two_factor: bool,
}
