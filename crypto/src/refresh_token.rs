//! Refresh tokens: opaque, derived from (session, generation, key id) by the refresh key, so nothing secret is stored
//! (DESIGN 8). Version (1 byte), session (16), generation (4), key id (16), HMAC-SHA256 (32), in base64url.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::{KeyId, SessionId};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::context::joined;
use crate::keyring::Keyring;

const VERSION: u8 = 1;
/// Everything before the authentication code.
const BODY_LEN: usize = 37;
const TOKEN_LEN: usize = BODY_LEN + 32;
/// A multiple of four, so that each token has one spelling.
const TOKEN_CHARS: usize = TOKEN_LEN / 3 * 4;

/// Makes and reads refresh tokens. Whether one is still good is the session's decision.
#[derive(Clone, Debug)]
pub struct RefreshTokens(Keyring);

impl RefreshTokens {
    pub fn new(keyring: Keyring) -> Self {
        Self(keyring)
    }

    /// The key for new generations; to be named in SessionStarted and SessionRefreshed.
    pub fn current_key_id(&self) -> KeyId {
        self.0.service().refresh.active_id()
    }

    /// The token of a generation, always the same one; `None` if the key is not known (any more).
    pub fn issue(
        &self,
        session: SessionId,
        generation: u32,
        key_id: KeyId,
    ) -> Option<SecretString> {
        let keys = self.0.service();
        let key = keys.refresh.get(key_id)?;
        let mut token = Zeroizing::new([VERSION; TOKEN_LEN]);
        token[1..17].copy_from_slice(session.get().as_bytes());
        token[17..21].copy_from_slice(&generation.to_be_bytes());
        token[21..37].copy_from_slice(key_id.get().as_bytes());
        let (body, code) = token.split_at_mut(BODY_LEN);
        code.copy_from_slice(hmac::sign(key, &labelled(body)).as_ref());
        Some(URL_SAFE_NO_PAD.encode(token.as_ref()).into())
    }

    /// Session, generation and key of a token that was made here; `None` for anything else. The session must still
    /// compare the key with the one it named for that generation.
    pub fn parse(&self, text: &str) -> Option<(SessionId, u32, KeyId)> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        let token = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (body, code) = token.split_at_checked(BODY_LEN)?;
        let session = SessionId::new(uuid::Uuid::from_slice(&body[1..17]).ok()?);
        let generation = u32::from_be_bytes(*body[17..].first_chunk()?);
        let key_id = KeyId::new(uuid::Uuid::from_slice(&body[21..]).ok()?);
        let keys = self.0.service();
        hmac::verify(keys.refresh.get(key_id)?, &labelled(body), code).ok()?;
        (body[0] == VERSION).then_some((session, generation, key_id))
    }
}

fn labelled(body: &[u8]) -> Vec<u8> {
    joined(&[b"keynest/refresh-token", body])
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::Purpose;
    use crate::testing::{every_damage, keyring};

    const SESSION: SessionId = SessionId::new(uuid::Uuid::from_u128(7));

    #[tokio::test]
    async fn a_token_names_its_session_and_generation_also_after_a_rotation() {
        let tokens = RefreshTokens::new(keyring().await);
        let old = tokens.current_key_id();
        let text = tokens.issue(SESSION, 3, old).unwrap();
        tokens.0.rotate(Purpose::Refresh).await.unwrap();
        assert_ne!(tokens.current_key_id(), old);
        assert_eq!(tokens.parse(text.expose_secret()), Some((SESSION, 3, old)));
        let again = tokens.issue(SESSION, 3, old).unwrap();
        assert_eq!(again.expose_secret(), text.expose_secret(), "nothing is stored but the parts");
    }

    #[tokio::test]
    async fn every_part_changes_the_token() {
        let tokens = RefreshTokens::new(keyring().await);
        let key = tokens.current_key_id();
        let other = SessionId::new(uuid::Uuid::from_u128(8));
        let text = tokens.issue(SESSION, 3, key).unwrap();
        assert_ne!(tokens.issue(SESSION, 4, key).unwrap().expose_secret(), text.expose_secret());
        assert_ne!(tokens.issue(other, 3, key).unwrap().expose_secret(), text.expose_secret());
        assert!(tokens.issue(SESSION, 3, KeyId::new(uuid::Uuid::nil())).is_none());
    }

    #[tokio::test]
    async fn damaged_and_foreign_tokens_are_nothing() {
        let tokens = RefreshTokens::new(keyring().await);
        let text = tokens.issue(SESSION, 3, tokens.current_key_id()).unwrap();
        for damaged in every_damage(text.expose_secret()) {
            assert_eq!(tokens.parse(&damaged), None, "{damaged}");
        }
        assert_eq!(RefreshTokens::new(keyring().await).parse(text.expose_secret()), None);
        assert!(!format!("{text:?}").contains(text.expose_secret()));
    }
}
