//! AES-256-GCM with a random 96-bit nonce for every encryption, the one cipher of the house.
//! A key may encrypt 2^32 times before nonces might repeat; every subject has its own.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// Bytes of an authentication tag.
const TAG_LEN: usize = 16;

/// An expanded key; aws-lc zeroes it when dropped.
pub struct AeadKey(RandomizedNonceKey);

impl AeadKey {
    /// `None` unless there are 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).ok().map(Self)
    }

    /// `head`, the nonce, the ciphertext and its tag. `head` is in clear and not authenticated here.
    pub fn seal(&self, head: &[u8], associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let body = head.len() + NONCE_LEN;
        let mut out = Vec::with_capacity(body + plain.len() + TAG_LEN);
        out.extend_from_slice(head);
        out.extend_from_slice(&[0; NONCE_LEN]);
        out.extend_from_slice(plain);
        let (nonce, tag) = self
            .0
            .seal_in_place_separate_tag(Aad::from(associated), &mut out[body..])
            .expect("encryption fails past 64 GiB only");
        out[head.len()..body].copy_from_slice(nonce.as_ref());
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// What was sealed, from nonce, ciphertext and tag; `None` if any bit of them or of `associated` differs.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .0
            .open_in_place(Nonce::from(nonce), Aad::from(associated), body.as_mut())
            .ok()?
            .len();
        body.truncate(plain);
        Some(body)
    }
}
