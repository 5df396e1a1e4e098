//! Position tokens and page cursors: what they say is nobody's business, so they are encrypted under the cursor key.
//! Version (1 byte), key id (16), nonce (12), ciphertext, tag (16), in base64url.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keynest_domain::KeyId;

use crate::context::joined;
use crate::keyring::Keyring;

/// The longest token that is looked at.
pub const CURSOR_CHARS_MAX: usize = 4_096;
const VERSION: u8 = 1;

/// Makes and reads opaque tokens. One key encrypts 2^32 of them safely: rotate it weekly under heavy load.
#[derive(Clone, Debug)]
pub struct Cursors(Keyring);

impl Cursors {
    pub fn new(keyring: Keyring) -> Self {
        Self(keyring)
    }

    /// A token that says `bytes` to [`Cursors::open`] with the same `kind`, and nothing to anybody else.
    pub fn seal(&self, kind: &str, bytes: &[u8]) -> String {
        let keys = self.0.service();
        let mut head = [VERSION; 17];
        head[1..].copy_from_slice(keys.cursor.active_id().get().as_bytes());
        let place = joined(&[&head, kind.as_bytes()]);
        URL_SAFE_NO_PAD.encode(keys.cursor.active().seal(&head, &place, bytes))
    }

    /// `None` for anything that was not made here, for this kind, under a key that is still known.
    pub fn open(&self, kind: &str, text: &str) -> Option<Vec<u8>> {
        if text.len() > CURSOR_CHARS_MAX {
            return None;
        }
        let token = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, body) = token.split_first_chunk::<17>()?;
        let [VERSION, id @ ..] = head else { return None };
        let keys = self.0.service();
        let key = keys.cursor.get(KeyId::new(uuid::Uuid::from_bytes(*id)))?;
        let place = joined(&[head, kind.as_bytes()]);
        key.open(&place, body).map(|plain| plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;
    use crate::testing::{every_damage, keyring};

    #[tokio::test]
    async fn a_cursor_says_what_it_was_made_for_even_after_a_rotation() {
        let cursors = Cursors::new(keyring().await);
        let text = cursors.seal("position", b"42");
        cursors.0.rotate(Purpose::Cursor).await.unwrap();
        assert_eq!(cursors.open("position", &text).unwrap(), b"42");
        assert_eq!(cursors.open("position", &cursors.seal("position", b"")).unwrap(), b"");
        assert_ne!(text, cursors.seal("position", b"42"), "equal positions look different");
    }

    #[tokio::test]
    async fn a_cursor_of_another_kind_or_another_house_is_nothing() {
        let cursors = Cursors::new(keyring().await);
        let text = cursors.seal("position", b"42");
        assert_eq!(cursors.open("audit", &text), None);
        assert_eq!(Cursors::new(keyring().await).open("position", &text), None);
    }

    #[tokio::test]
    async fn a_damaged_cursor_is_nothing() {
        let cursors = Cursors::new(keyring().await);
        for damaged in every_damage(&cursors.seal("position", b"42")) {
            assert_eq!(cursors.open("position", &damaged), None, "{damaged}");
        }
        assert_eq!(cursors.open("position", &"A".repeat(CURSOR_CHARS_MAX + 4)), None);
    }
}
