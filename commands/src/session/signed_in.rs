//! What a sign-in or a refresh gives.

use keynest_crypto::RefreshTokens;
use keynest_domain::session::Rejection;
use keynest_domain::{KeyId, SessionId, UserId};
use secrecy::SecretString;

use crate::{CommandError, Commands};

/// A living session and its refresh token.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SignedIn {
    pub user: UserId,
    pub session: SessionId,
    /// The user's credential epoch now, for access tokens.
    pub epoch: u32,
    pub refresh: SecretString,
}

impl SignedIn {
    pub(crate) fn issue(
        commands: &Commands,
        session: SessionId,
        user: UserId,
        epoch: u32,
        generation: u32,
        key: KeyId,
    ) -> Result<Self, CommandError> {
        let tokens = RefreshTokens::new(commands.keyring().clone());
        // A key that is not known any more derives nothing: the person signs in again.
        let refresh = tokens.issue(session, generation, key).ok_or(Rejection::TokenInvalid)?;
        Ok(Self { user, session, epoch, refresh })
    }
}
