//! Tokens of people and organizations, and rules for tokens of other issuers.

mod apply;
mod query;

use keynest_domain::condition::Condition;
use keynest_domain::{OrganizationId, Role, Timestamp, TokenId, TokenScope, UserId};

pub use apply::Tokens;
pub use query::TOKENS_LISTED_MAX;

/// A token as its owner sees it.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenRow {
    pub id: TokenId,
    pub name: String,
    /// Of services.
    pub role: Option<Role>,
    pub scope: TokenScope,
    pub ranges: Vec<String>,
    /// Of rules.
    pub trust: Option<TrustTerms>,
    pub created_by_name: String,
    pub created_at: Timestamp,
    /// None for rules.
    pub expires_at: Option<Timestamp>,
}

/// What a rule says of the tokens that it takes and gives.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TrustTerms {
    pub issuer: String,
    pub conditions: Vec<Condition>,
    pub lifetime_minutes: u32,
}

/// A token as whoever checks it needs it.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TokenStanding {
    pub id: TokenId,
    /// Under whose number it acts: its owner's, or its own.
    pub actor: UserId,
    pub organization: Option<OrganizationId>,
    pub scope: TokenScope,
    /// Networks that it may come from; from anywhere if `None`.
    pub ranges: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub is_ended: bool,
    /// Whether the account that it acts for is active; services have none.
    pub is_owner_active: bool,
}

/// Names and networks do not print.
impl std::fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenRow({})", self.id)
    }
}

/// Networks do not print.
impl std::fmt::Debug for TokenStanding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenStanding({})", self.id)
    }
}
