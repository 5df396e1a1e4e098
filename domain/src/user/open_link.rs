//! A mailed link while it is good.

use super::Rejection;
use crate::{LinkNonce, Timestamp};

/// A mailed link: the newest of its kind. An activation link is kept after its use, so that a second click is told apart
/// from a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OpenLink {
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
}

impl OpenLink {
    /// Whether this is the link, and in time. The nonce is known to whoever could verify the link's signature.
    pub(super) fn accept(
        link: Option<Self>,
        nonce: LinkNonce,
        at: Timestamp,
    ) -> Result<(), Rejection> {
        match link {
            Some(link) if link.nonce == nonce && at < link.expires_at => Ok(()),
            Some(link) if link.nonce == nonce => Err(Rejection::LinkExpired),
            _ => Err(Rejection::LinkInvalid),
        }
    }
}
