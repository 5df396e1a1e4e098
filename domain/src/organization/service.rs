//! Services of an organization: tokens of its own, and rules by which tokens of other issuers are exchanged. A service acts
//! under its token's number. It is no member: not listed, not counted, never an admin.

use serde::{Deserialize, Serialize};

use crate::{Lifetime, Role, Sealed, Timestamp, TokenId, TokenScope, UserId};

/// A service's role: never an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of roles")]
pub enum ServiceRole {
    Editor,
    Viewer,
}

/// See [`super::Event::ServiceTokenCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ServiceTokenCreated {
    pub token: TokenId,
    pub name: Sealed,
    pub role: ServiceRole,
    pub scope: TokenScope,
    /// Networks that it may come from, as JSON; from anywhere if `None`.
    pub ranges: Option<Sealed>,
    /// Keyed, of the token's text.
    pub digest: String,
    pub creator: UserId,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`super::Event::ServiceTokenRevoked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ServiceTokenRevoked {
    pub token: TokenId,
}

/// See [`super::Event::TrustCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TrustCreated {
    pub trust: TokenId,
    pub name: Sealed,
    /// One of the configured ones, compared exactly.
    pub issuer: String,
    /// What the claims must say, as JSON.
    pub conditions: Sealed,
    pub role: ServiceRole,
    pub scope: TokenScope,
    /// Of an access token that is given for one of the issuer's.
    pub lifetime_minutes: u32,
    pub creator: UserId,
    pub at: Timestamp,
}

/// See [`super::Event::TrustRemoved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TrustRemoved {
    pub trust: TokenId,
}

/// A service as rules see it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Service {
    pub role: ServiceRole,
    pub kind: ServiceKind,
}

/// How a service signs in.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub enum ServiceKind {
    /// With a token of ours.
    Token { expires_at: Timestamp },
    /// With tokens of an issuer that is trusted as far as this rule says.
    Trust(Trust),
}

/// A rule for the tokens of an issuer.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Trust {
    pub issuer: String,
    pub conditions: Sealed,
    pub lifetime: Lifetime,
}

impl ServiceRole {
    /// Reads a role's name; `member` is an alias of `editor`.
    pub fn parse(text: &str) -> Option<Self> {
        match Role::parse(text)? {
            Role::Editor => Some(Self::Editor),
            Role::Viewer => Some(Self::Viewer),
            Role::Admin => None,
        }
    }
}

impl From<ServiceRole> for Role {
    fn from(role: ServiceRole) -> Self {
        match role {
            ServiceRole::Editor => Self::Editor,
            ServiceRole::Viewer => Self::Viewer,
        }
    }
}

impl Service {
    /// Whether it counts against the limit: expired tokens do not.
    pub(super) fn is_living(&self, at: Timestamp) -> bool {
        match &self.kind {
            ServiceKind::Token { expires_at } => *expires_at > at,
            ServiceKind::Trust(_) => true,
        }
    }

    /// The rule, if it is one.
    pub fn trust(&self) -> Option<&Trust> {
        match &self.kind {
            ServiceKind::Token { .. } => None,
            ServiceKind::Trust(trust) => Some(trust),
        }
    }
}

impl From<&ServiceTokenCreated> for Service {
    fn from(it: &ServiceTokenCreated) -> Self {
        Self { role: it.role, kind: ServiceKind::Token { expires_at: it.expires_at } }
    }
}

impl From<&TrustCreated> for Service {
    fn from(it: &TrustCreated) -> Self {
        let trust = Trust {
            issuer: it.issuer.clone(),
            conditions: it.conditions.clone(),
            lifetime: Lifetime::from_minutes(it.lifetime_minutes),
        };
        Self { role: it.role, kind: ServiceKind::Trust(trust) }
    }
}
