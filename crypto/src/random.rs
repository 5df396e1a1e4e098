//! Randomness from the operating system's source, through aws-lc.

use keynest_domain::{KeyId, LinkNonce};
use zeroize::Zeroizing;

/// Secret bytes, zeroed when dropped.
pub fn secret<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    fill(bytes.as_mut());
    bytes
}

/// 128 random bits.
pub fn bits128() -> u128 {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

/// The secret part of a mailed link; worth nothing without the link key.
pub fn link_nonce() -> LinkNonce {
    LinkNonce::new(bits128())
}

/// A new key's id, a random UUID.
pub(crate) fn key_id() -> KeyId {
    KeyId::new(uuid::Builder::from_random_bytes(bits128().to_be_bytes()).into_uuid())
}

/// Going on without randomness would be worse than stopping; the kernel's source does not fail once it is seeded.
fn fill(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the operating system has randomness");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ten_thousand_draws_are_all_different() {
        let drawn: HashSet<_> = (0..10_000).map(|_| bits128()).collect();
        assert_eq!(drawn.len(), 10_000);
        assert_ne!(*secret::<32>(), [0; 32]);
        assert_eq!(key_id().get().get_version_num(), 4);
    }
}
