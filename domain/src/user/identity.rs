//! Accounts at identity providers that sign in to an account here.

use serde::{Deserialize, Serialize};

use crate::{IdentityId, ProviderName, Sealed, Timestamp};

/// An account at an identity provider.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Identity {
    pub id: IdentityId,
    pub provider: ProviderName,
    pub subject: Sealed,
    /// The key of the claim that keeps it with this account; to be released when it goes.
    pub claim: String,
    pub avatar_url: Option<Sealed>,
}

/// See [`super::Event::IdentityLinked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct IdentityLinked {
    pub identity: IdentityId,
    pub provider: ProviderName,
    /// What the provider calls the person, for ever.
    pub subject: Sealed,
    /// The key of the claim that keeps the identity with this account.
    pub claim: String,
    /// The address that the provider knows, for the person's own list.
    pub address: Option<Sealed>,
    pub at: Timestamp,
}

/// See [`super::Event::IdentityUnlinked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct IdentityUnlinked {
    pub identity: IdentityId,
    pub provider: ProviderName,
}

/// See [`super::Event::ProfileSynchronised`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProfileSynchronised {
    pub identity: IdentityId,
    /// None: the person chose names, and these stay.
    pub first_name: Option<Sealed>,
    pub last_name: Option<Sealed>,
    /// A web address; nobody here ever asks it.
    pub avatar_url: Option<Sealed>,
}
