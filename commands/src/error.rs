//! Why a command was not done.

use keynest_crypto::{HashError, KeyringError};
use keynest_domain::permission::Denied;
use keynest_domain::{
    Invalid, OrganizationId, Subject, challenge, environment, exchange, federation, limits, login,
    organization, project, provider, session, user,
};
use keynest_store::{AppendError, ReadError};

/// Why a command was not done. Everything that a rule or a limit can say, by name.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The actor may not; the organization files the refusal.
    #[error("authorise in an organization")]
    Denied {
        /// Whose object was asked for.
        organization: OrganizationId,
        /// Outsider or role too weak.
        #[source]
        why: Denied,
    },
    /// Somebody who is signed in may; a token may not.
    #[error("no token may do this")]
    NotForTokens,
    /// No such object, for anybody.
    #[error("there is no such {0}")]
    Absent(&'static str),
    /// A field breaks a rule that only the write side can check.
    #[error("{field} is not acceptable")]
    Field {
        /// The field of the request.
        field: &'static str,
        /// The rule.
        #[source]
        why: Invalid,
    },
    /// An account's rule says no.
    #[error(transparent)]
    User(#[from] user::Rejection),
    /// A trip to an identity provider goes no further.
    #[error(transparent)]
    Federation(#[from] federation::Rejection),
    /// A session's rule says no.
    #[error(transparent)]
    Session(#[from] session::Rejection),
    /// A sign-in is refused.
    #[error(transparent)]
    Login(#[from] login::Rejection),
    /// A question for the second factor is not open.
    #[error(transparent)]
    Challenge(#[from] challenge::Rejection),
    /// An organization's rule says no.
    #[error(transparent)]
    Organization(#[from] organization::Rejection),
    /// A project's rule says no.
    #[error(transparent)]
    Project(#[from] project::Rejection),
    /// An environment's rule says no.
    #[error(transparent)]
    Environment(#[from] environment::Rejection),
    /// A limit cannot be changed like this.
    #[error(transparent)]
    Limits(#[from] limits::Rejection),
    /// The organization is asked more often than its quota allows.
    #[error("ask an organization less often")]
    Throttled {
        /// Which.
        organization: OrganizationId,
        /// When there is room again.
        seconds: u32,
    },
    /// The person is the last admin of these organizations, which have other members.
    #[error("the account is the last admin of an organization")]
    LastAdminOf(Vec<OrganizationId>),
    /// The person is known in more places than one append can deal with.
    #[error("the account is known in more than {} places", crate::user::FOOTPRINT_MAX)]
    FootprintTooLarge,
    /// A token of another issuer is not exchanged.
    #[error(transparent)]
    Exchange(#[from] exchange::Rejection),
    /// An identity provider is not set up, changed or removed like this.
    #[error(transparent)]
    Provider(#[from] provider::Rejection),
    /// Too many others at once; nothing was done.
    #[error("too busy: {0}")]
    Busy(&'static str),
    /// The log holds an event that a newer version wrote; only that version can decide here.
    #[error("the log is newer than this binary: {0}")]
    NewerThanThisBinary(String),
    /// The log holds bytes that do not decode.
    #[error("decode event {0}")]
    Damaged(String),
    /// The event store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The event store did not take the append.
    #[error(transparent)]
    Append(AppendError),
    /// A password cannot be hashed or compared.
    #[error("hash a password")]
    Hashing(#[source] HashError),
    /// A value cannot be sealed or opened.
    #[error(transparent)]
    Keyring(KeyringError),
}

impl CommandError {
    /// Whether this is a decision, which a stale state may have caused, and not a failure.
    pub(crate) fn is_decision(&self) -> bool {
        match self {
            Self::Denied { .. }
            | Self::Absent(_)
            | Self::NotForTokens
            | Self::Field { .. }
            | Self::User(_)
            | Self::Federation(_)
            | Self::Session(_)
            | Self::Login(_)
            | Self::Challenge(_)
            | Self::Limits(_)
            | Self::Organization(_)
            | Self::Project(_)
            | Self::Environment(_)
            | Self::LastAdminOf(_)
            | Self::FootprintTooLarge
            | Self::Exchange(_)
            | Self::Provider(_) => true,
            Self::Busy(_)
            | Self::Throttled { .. }
            | Self::NewerThanThisBinary(_)
            | Self::Damaged(_)
            | Self::Read(_)
            | Self::Append(_)
            | Self::Hashing(_)
            | Self::Keyring(_) => false,
        }
    }
}

/// Nothing more is sealed under a destroyed key: whoever or whatever it belonged to is gone.
impl From<KeyringError> for CommandError {
    fn from(error: KeyringError) -> Self {
        let KeyringError::Destroyed(name) = &error else { return Self::Keyring(error) };
        match name.parse() {
            Ok(Subject::User(_) | Subject::Farewell(_)) => user::Rejection::Erased.into(),
            Ok(Subject::Organization(_)) => Self::Absent("organization"),
            Ok(Subject::Environment(_)) => Self::Absent("environment"),
            Ok(Subject::Invitation(_)) => organization::Rejection::InvitationUnknown.into(),
            Ok(Subject::Day(_) | Subject::Instance) | Err(_) => Self::Keyring(error),
        }
    }
}

/// A full queue is nobody's failure.
impl From<HashError> for CommandError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy("hashing"),
            HashError::BadParams | HashError::Damaged | HashError::Interrupted(_) => {
                Self::Hashing(error)
            }
        }
    }
}
