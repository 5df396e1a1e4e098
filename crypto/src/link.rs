//! Mailed links: derived by the link key from purpose, subject, the nonce in the event, and expiry (DESIGN 7). The
//! nonce is not in the token, so a token dies when its event is superseded, and the log alone makes no token.
//! Version (1 byte), purpose (1), key id (16), expiry (8), subject (24), HMAC-SHA256 (32), in base64url.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::{InvitationId, KeyId, LinkNonce, OrganizationId, Timestamp, UserId};
use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::context::joined;
use crate::keyring::Keyring;

const VERSION: u8 = 1;
const BODY_LEN: usize = 50;
const TOKEN_LEN: usize = BODY_LEN + 32;
/// Without padding; the decoder refuses stray bits at the end, so each token has one spelling.
const TOKEN_CHARS: usize = (TOKEN_LEN * 4).div_ceil(3);

/// What following a link does, and to whom. The purposes are never interchangeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// Activates the account.
    Activation(UserId),
    /// Sets a new password.
    PasswordReset(UserId),
    /// Joins the organization.
    Invitation(OrganizationId, InvitationId),
    /// Confirms an address that an account asks for: mailed to that address.
    NewEmail(UserId),
    /// Confirms or cancels that: mailed to the address of until now.
    OldEmail(UserId),
    /// Takes the old address back.
    EmailUndo(UserId),
}

/// A link to be mailed: everything is in the event.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub target: LinkTarget,
    pub nonce: LinkNonce,
    pub expires_at: Timestamp,
}

/// What a token says of itself. Nothing of it is true before [`Links::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnverifiedLink {
    pub target: LinkTarget,
    pub expires_at: Timestamp,
    pub key_id: KeyId,
}

/// Makes and checks link tokens.
#[derive(Clone, Debug)]
pub struct Links(Keyring);

impl Links {
    pub fn new(keyring: Keyring) -> Self {
        Self(keyring)
    }

    /// The token of a link under the current key, fit for a URL path. The same link again, as for a mail that is sent
    /// twice, gives the same token until the key is rotated; both are good then.
    pub fn issue(&self, link: &Link) -> SecretString {
        let keys = self.0.service();
        let body = body(link.target, keys.link.active_id(), link.expires_at);
        let code = hmac::sign(keys.link.active(), &labelled(&body, link.nonce));
        let mut token = Zeroizing::new([0; TOKEN_LEN]);
        token[..BODY_LEN].copy_from_slice(&body);
        token[BODY_LEN..].copy_from_slice(code.as_ref());
        URL_SAFE_NO_PAD.encode(token.as_ref()).into()
    }

    /// What a token claims, to find the aggregate that has its nonce; `None` if it has not the form of a token.
    pub fn read(text: &str) -> Option<UnverifiedLink> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        parse(&Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?))
    }

    /// Whether the token is the one that was mailed for this target and nonce, and has not expired at `now`.
    pub fn verify(&self, text: &str, target: LinkTarget, nonce: LinkNonce, now: Timestamp) -> bool {
        self.is_genuine(text, target, nonce).is_some_and(|link| now < link.expires_at)
    }

    fn is_genuine(
        &self,
        text: &str,
        target: LinkTarget,
        nonce: LinkNonce,
    ) -> Option<UnverifiedLink> {
        let link = Self::read(text)?;
        let token = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (said, code) = token.split_at_checked(BODY_LEN)?;
        let keys = self.0.service();
        let key = keys.link.get(link.key_id)?;
        hmac::verify(key, &labelled(said, nonce), code).ok()?;
        (link.target == target).then_some(link)
    }
}

fn body(target: LinkTarget, key_id: KeyId, expires_at: Timestamp) -> [u8; BODY_LEN] {
    let (purpose, number, invitation) = match target {
        LinkTarget::Activation(user) => (1, user.get(), Uuid::nil()),
        LinkTarget::PasswordReset(user) => (2, user.get(), Uuid::nil()),
        LinkTarget::Invitation(organization, invitation) => {
            (3, organization.get(), invitation.get())
        }
        LinkTarget::NewEmail(user) => (4, user.get(), Uuid::nil()),
        LinkTarget::OldEmail(user) => (5, user.get(), Uuid::nil()),
        LinkTarget::EmailUndo(user) => (6, user.get(), Uuid::nil()),
    };
    let mut body = [0; BODY_LEN];
    body[0] = VERSION;
    body[1] = purpose;
    body[2..18].copy_from_slice(key_id.get().as_bytes());
    body[18..26].copy_from_slice(&expires_at.micros().to_be_bytes());
    body[26..34].copy_from_slice(&number.to_be_bytes());
    body[34..50].copy_from_slice(invitation.as_bytes());
    body
}

/// The reverse of [`body`], for that form only.
fn parse(token: &[u8]) -> Option<UnverifiedLink> {
    let said: &[u8; BODY_LEN] = token.first_chunk()?;
    let key_id = KeyId::new(Uuid::from_slice(&said[2..18]).ok()?);
    let expires_at = Timestamp::from_micros(i64::from_be_bytes(*said[18..].first_chunk()?));
    let number = i64::from_be_bytes(*said[26..].first_chunk()?);
    let invitation = InvitationId::new(Uuid::from_slice(&said[34..]).ok()?);
    let target = match said[1] {
        1 => LinkTarget::Activation(UserId::new(number)),
        2 => LinkTarget::PasswordReset(UserId::new(number)),
        3 => LinkTarget::Invitation(OrganizationId::new(number), invitation),
        4 => LinkTarget::NewEmail(UserId::new(number)),
        5 => LinkTarget::OldEmail(UserId::new(number)),
        6 => LinkTarget::EmailUndo(UserId::new(number)),
        _ => return None,
    };
    let is_canonical = *said == body(target, key_id, expires_at);
    is_canonical.then_some(UnverifiedLink { target, expires_at, key_id })
}

fn labelled(body: &[u8], nonce: LinkNonce) -> Vec<u8> {
    joined(&[b"keynest/link", body, &nonce.get().to_be_bytes()])
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
