//! Identifiers. Integers are JSON-safe (below 2^53): 41 bits of milliseconds since 2026, 12 bits of randomness.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! integer_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// An id as stored, drawn or received; whether it exists is another question.
            pub const fn new(id: i64) -> Self { Self(id) }
            /// The number.
            pub const fn get(self) -> i64 { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// An id as stored, drawn or received; whether it exists is another question.
            pub const fn new(id: Uuid) -> Self { Self(id) }
            /// The UUID. Never a secret.
            pub const fn get(self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )+};
}

/// The largest id that a JSON number carries exactly.
pub const ID_MAX: i64 = (1 << 53) - 1;

integer_ids! {
    /// A person's account.
    UserId,
    /// An organization.
    OrganizationId,
    /// A project.
    ProjectId,
    /// An environment.
    EnvironmentId,
    /// A variable.
    VariableId,
    /// A token, or a rule by which tokens of others are exchanged; a service acts under this number.
    TokenId,
}

uuid_ids! {
    /// One sign-in on one device.
    SessionId,
    /// The login stream of one address, derived from its keyed digest.
    LoginId,
    /// A question for the second factor, or one ceremony of a passkey.
    ChallengeId,
    /// An authenticator app or a passkey of an account.
    FactorId,
    /// An invitation to an organization.
    InvitationId,
    /// The one exchange of one token of another issuer, derived from its keyed digest.
    ExchangeId,
    /// One HTTP request or one run of a job.
    RequestId,
    /// One command; repeating it repeats nothing.
    CommandId,
    /// One event of the log.
    EventId,
    /// An account at an identity provider, as one of our accounts knows it.
    IdentityId,
    /// One trip to an identity provider and back.
    FederationId,
    /// An identity provider that an administrator set up.
    ProviderId,
    /// A data, signing, link, refresh, cursor or digest key.
    KeyId,
}
